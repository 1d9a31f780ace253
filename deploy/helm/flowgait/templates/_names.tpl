{{- define "flowgait.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- /* Short enough for what is added to it below. */}}
{{- define "flowgait.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "flowgait.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "flowgait.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "flowgait.selector" -}}
app.kubernetes.io/name: {{ include "flowgait.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "flowgait.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "flowgait.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "flowgait.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "flowgait.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "flowgait.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "flowgait.storeSecret" -}}
{{- default (printf "%s-store" (include "flowgait.fullname" .)) .Values.store.existingSecret }}
{{- end }}

{{- define "flowgait.keysSecret" -}}
{{- default (printf "%s-keys" (include "flowgait.fullname" .)) .Values.auth.existingSecret }}
{{- end }}

{{- /* Empty where the pods' own identity counts. */}}
{{- define "flowgait.bucketSecret" -}}
{{- if .Values.blobs.s3.existingSecret }}
{{- .Values.blobs.s3.existingSecret }}
{{- else if .Values.blobs.s3.accessKeyId }}
{{- printf "%s-bucket" (include "flowgait.fullname" .) }}
{{- end }}
{{- end }}

{{- define "flowgait.claim" -}}
{{- default (printf "%s-blobs" (include "flowgait.fullname" .)) .Values.blobs.volume.existingClaim }}
{{- end }}

{{- define "flowgait.hasKeys" -}}
{{- if or .Values.auth.keys .Values.auth.existingSecret }}yes{{ end }}
{{- end }}

{{- /* What a schema cannot say. */}}
{{- define "flowgait.check" -}}
{{- if not (or .Values.store.url .Values.store.existingSecret) }}
{{- fail "store.url or store.existingSecret must name a Redis: redis://HOST:6379/0" }}
{{- end }}
{{- if and .Values.store.url .Values.store.existingSecret }}
{{- fail "store.url and store.existingSecret contradict each other" }}
{{- end }}
{{- if not (or (include "flowgait.hasKeys" .) .Values.auth.trustHeader) }}
{{- fail "who may call? Set auth.keys, auth.existingSecret or auth.trustHeader" }}
{{- end }}
{{- if and .Values.auth.keys .Values.auth.existingSecret }}
{{- fail "auth.keys and auth.existingSecret contradict each other" }}
{{- end }}
{{- if and .Values.blobs.s3.existingSecret .Values.blobs.s3.accessKeyId }}
{{- fail "blobs.s3.existingSecret and blobs.s3.accessKeyId contradict each other" }}
{{- end }}
{{- if ne (empty .Values.blobs.s3.accessKeyId) (empty .Values.blobs.s3.secretAccessKey) }}
{{- fail "blobs.s3.accessKeyId and blobs.s3.secretAccessKey belong together" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts must name a host" }}
{{- end }}
{{- if gt (int .Values.worker.autoscaling.minReplicas) (int .Values.worker.autoscaling.maxReplicas) }}
{{- fail "worker.autoscaling.minReplicas is greater than maxReplicas" }}
{{- end }}
{{- end }}

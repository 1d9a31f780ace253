{{- /* What API and worker share. Takes {root, part: "api" or "worker", values}. */}}
{{- define "flowgait.environment" -}}
{{- $root := .root -}}
- name: FLOWGAIT_SERVE_STORE
  valueFrom:
    secretKeyRef:
      name: {{ include "flowgait.storeSecret" $root }}
      key: {{ if $root.Values.store.existingSecret }}{{ $root.Values.store.existingSecretKey }}{{ else }}url{{ end }}
- name: FLOWGAIT_SERVE_BLOBS
  value: {{ default "/data/blobs" $root.Values.blobs.url | quote }}
- name: FLOWGAIT_SERVE_GRACE
  value: {{ printf "%ds" (int $root.Values.drainGraceSeconds) | quote }}
- name: TMPDIR
  value: /tmp
{{- if $root.Values.blobs.url }}
- name: AWS_REGION
  value: {{ $root.Values.blobs.s3.region | quote }}
{{- with $root.Values.blobs.s3.endpoint }}
- name: AWS_ENDPOINT_URL
  value: {{ . | quote }}
{{- end }}
{{- if $root.Values.blobs.s3.allowHttp }}
- name: AWS_ALLOW_HTTP
  value: "true"
{{- end }}
{{- $secret := include "flowgait.bucketSecret" $root }}
{{- if $secret }}
{{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "flowgait.probes" -}}
# A store that is away makes a pod unready, never dead: to start it anew would help nobody.
startupProbe:
  httpGet: {path: /livez, port: management}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: management}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: management}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{- define "flowgait.mounts" -}}
- name: scratch
  mountPath: /tmp
{{- if not .root.Values.blobs.url }}
- name: blobs
  mountPath: /data
{{- end }}
{{- end }}

{{- define "flowgait.volumes" -}}
- name: scratch
  emptyDir:
    sizeLimit: {{ .values.scratchSize }}
{{- if not .root.Values.blobs.url }}
- name: blobs
  persistentVolumeClaim:
    claimName: {{ include "flowgait.claim" .root }}
{{- end }}
{{- end }}

{{- define "flowgait.podMetadata" -}}
{{- $root := .root -}}
labels:
  {{- include "flowgait.labels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ .part }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # New secrets of this chart make new pods.
  checksum/secrets: {{ include (print $root.Template.BasePath "/secrets.yaml") $root | sha256sum }}
  {{- if and $root.Values.metrics.annotations (not $root.Values.metrics.podMonitor.enabled) }}
  prometheus.io/scrape: "true"
  prometheus.io/port: "9100"
  prometheus.io/path: /metrics
  {{- end }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "flowgait.placement" -}}
{{- $root := .root -}}
serviceAccountName: {{ include "flowgait.serviceAccount" $root }}
# It never speaks with Kubernetes.
automountServiceAccountToken: false
# Else a Service named flowgait would set variables FLOWGAIT_…, which are settings here.
enableServiceLinks: false
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "flowgait.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .part }}
  {{- end }}
{{- end }}

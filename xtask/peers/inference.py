"""A client of the Open Inference Protocol as others use it: Triton's own, against a running service. Prints one line for each thing that it tried.

Usage: inference.py HOST:PORT MODEL
"""

import sys

import numpy
from tritonclient import http
from tritonclient.utils import InferenceServerException

address, name = sys.argv[1:3]
client = http.InferenceServerClient(url=address)
failed = []


def check(what, right):
    print(("passed  " if right else "FAILED  ") + what)
    if not right:
        failed.append(what)


def refused(what, ask):
    try:
        ask()
    except InferenceServerException as error:
        print(f"passed  {what}: {error.message()}")
    else:
        check(what, False)


check("the server is live", client.is_server_live())
check("the server is ready", client.is_server_ready())
check("the model is ready", client.is_model_ready(name))
check("an unknown model is not ready", not client.is_model_ready("nobody"))
server = client.get_server_metadata()
check("the server says what it is", server["name"] == "flowgait" and isinstance(server["extensions"], list))
metadata = client.get_model_metadata(name)
version = metadata["versions"][0]
check("a version is ready", client.is_model_ready(name, version))
check("a version says what it is", client.get_model_metadata(name, version) == metadata)
(tensor,) = metadata["inputs"]
columns = metadata["parameters"]["columns"]
check("the input's shape is that of the columns", tensor["shape"] == [-1, len(columns)])
rows = numpy.random.default_rng(1).uniform(0, 100, (7, len(columns))).astype(numpy.float32)


def whole(binary):
    given = http.InferInput(tensor["name"], list(rows.shape), tensor["datatype"])
    given.set_data_from_numpy(rows, binary_data=binary)
    return [given]


def by_column(kind, datatype, binary):
    for column, values in zip(columns, rows.T):
        given = http.InferInput(column, [len(values), 1], datatype)
        given.set_data_from_numpy(values.astype(kind).reshape(-1, 1), binary_data=binary)
        yield given


def outputs(names, binary):
    return [http.InferRequestedOutput(name, binary_data=binary) for name in names]


names = [output["name"] for output in metadata["outputs"]]
answer = client.infer(name, whole(False), outputs=outputs(names, False), request_id="a 1")
probabilities = answer.as_numpy("probabilities")
check("the answer has the request's id", answer.get_response()["id"] == "a 1")
check("the answer says which model", answer.get_response()["model_version"] == version)
check("there are probabilities for each row", probabilities.shape == (7, len(metadata["parameters"]["classes"])))
check("they sum to one", numpy.allclose(probabilities.sum(axis=1), 1, atol=1e-3))
check("there is a label for each row", answer.as_numpy("label").shape == (7,))
check("there is a confidence for each row", numpy.allclose(answer.as_numpy("confidence"), probabilities.max(axis=1)))


def same(what, given, **more):
    other = client.infer(name, given, **more).as_numpy("probabilities")
    check(what, other is not None and numpy.array_equal(other, probabilities))


same("without saying which outputs", whole(False))
same("as octets behind the JSON", whole(True))
same("as octets, with one output as octets", whole(True), outputs=outputs(["probabilities"], True))
same("of a version", whole(True), model_version=version)
same("with one tensor a column", list(by_column(numpy.float32, "FP32", False)))
same("with one tensor a column, as octets", list(by_column(numpy.float64, "FP64", True)))
only = client.infer(name, whole(True), outputs=outputs(["label"], False))
check("only what is asked for is given", [o["name"] for o in only.get_response()["outputs"]] == ["label"])
refused("a packed body is refused", lambda: client.infer(name, whole(True), request_compression_algorithm="gzip"))
refused("an unknown model is refused", lambda: client.infer("nobody", whole(True)))
refused("an unknown version is refused", lambda: client.infer(name, whole(True), model_version="99"))
refused("an unknown output is refused", lambda: client.infer(name, whole(True), outputs=outputs(["x"], False)))
refused("a missing column is refused", lambda: client.infer(name, list(by_column(numpy.float32, "FP32", True))[1:]))
print("skipped statistics, trace, shared memory and the repository's control: extensions that this service does not have")
sys.exit(1 if failed else 0)

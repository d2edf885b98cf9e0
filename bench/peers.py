"""The Python side of `npm run bench -- --python`: faiss, usearch and numpy on one thread.

Reads one JSON request a line from standard input and answers with one JSON line. Arrays come and go as .npy files in the
folder named by the first argument. Every time is this process's own clock around one call.
"""

import json
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

FOLDER = sys.argv[1]
CHUNK_ROWS = 16_384


def optional(name):
    try:
        return __import__(name)
    except ImportError:
        return None


faiss = optional("faiss")
usearch = optional("usearch")
if faiss:
    faiss.omp_set_num_threads(1)
if usearch:
    from usearch.index import MetricKind, search as usearch_search

state = {}


def load(name, mmap=False):
    return np.load(os.path.join(FOLDER, name), mmap_mode="r" if mmap else None)


def versions():
    found = {"python": sys.version.split()[0], "numpy": np.__version__}
    for name, module in (("faiss", faiss), ("usearch", usearch)):
        if module:
            found[name] = module.__version__
    return found


def load_corpus(rows, dims):
    """Builds every index from corpus.npy (float32) and bits.npy (packed), a chunk at a time."""
    corpus, bits = load("corpus.npy", mmap=True), load("bits.npy")
    state.update(corpus=corpus, queries=load("queries.npy"), query_bits=load("query-bits.npy"))
    names = []
    if faiss:
        flat = faiss.IndexFlatIP(dims)
        sq8 = faiss.IndexScalarQuantizer(dims, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        sq8.train(np.ascontiguousarray(corpus[:CHUNK_ROWS]))
        binary = faiss.IndexBinaryFlat(8 * bits.shape[1])
        for first in range(0, rows, CHUNK_ROWS):
            chunk = np.ascontiguousarray(corpus[first : first + CHUNK_ROWS])
            flat.add(chunk)
            sq8.add(chunk)
        binary.add(bits)
        state.update({"faiss-flat": flat, "faiss-sq8": sq8, "faiss-binary": binary})
        names += ["faiss-flat", "faiss-sq8", "faiss-binary"]
    if usearch:
        names.append("usearch-py")
    return {"contenders": names}


def search(name, first, count, k):
    """One timed call: ids and scores (distances of bits) a query."""
    queries = state["query_bits" if name == "faiss-binary" else "queries"][first : first + count]
    start = time.perf_counter()
    if name == "usearch-py":
        found = usearch_search(state["corpus"], queries, k, MetricKind.IP, exact=True, threads=1)
        elapsed = time.perf_counter() - start
        ids, scores = found.keys.reshape(count, k), -found.distances.reshape(count, k)
    else:
        scores, ids = state[name].search(queries, k)
        elapsed = time.perf_counter() - start
    return {"ms": 1000 * elapsed, "ids": ids.tolist(), "scores": scores.tolist()}


def bucket(save):
    """The formula of sentence-transformers 6.2 for int8 codes, as numpy runs it, over values.npy and ranges.npy."""
    if "values" not in state:
        state.update(values=load("values.npy"), ranges=load("ranges.npy"))
    values, (starts, steps) = state["values"], state["ranges"]
    start = time.perf_counter()
    codes = (np.clip(np.floor((values - starts) / steps), 0, 255) - 128).astype(np.int8)
    elapsed = time.perf_counter() - start
    if save:
        np.save(os.path.join(FOLDER, "codes.npy"), codes)
    return {"ms": 1000 * elapsed}


def forget():
    state.clear()
    return {}


OPERATIONS = {"versions": versions, "load": load_corpus, "search": search, "bucket": bucket, "forget": forget}

for line in sys.stdin:
    request = json.loads(line)
    operation = OPERATIONS[request.pop("op")]
    try:
        answer = operation(**request)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

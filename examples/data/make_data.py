"""Cuts the example data out of the full Banking77 embeddings.

Needs: pip install numpy
Run:   python make_data.py SOURCE_DIR [OUT_DIR]

SOURCE_DIR holds banking77_train.csv, banking77_test.csv (text, category) and minilm/banking77_train.npy,
minilm/banking77_test.npy: float32, one row a text, encoded with sentence-transformers/all-MiniLM-L6-v2, normalised.
README.md says which rows are taken and why.
"""
import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np

GOLDEN_CORPUS, GOLDEN_QUERIES = 2000, 50
TRAIN_PER_CATEGORY, TEST_STEP = 15, 6

source = Path(sys.argv[1])
out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent


def read(split):
    with open(source / f"banking77_{split}.csv", newline="", encoding="utf-8") as file:
        texts = list(csv.reader(file))[1:]
    embeddings = np.load(source / "minilm" / f"banking77_{split}.npy")
    assert len(texts) == len(embeddings) and embeddings.dtype == np.float32
    return texts, embeddings


def write(split, texts, embeddings, rows):
    np.save(out / f"banking77_{split}.npy", np.ascontiguousarray(embeddings[rows]))
    with open(out / f"banking77_{split}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "category"])
        # One line a row: a few texts contain line breaks.
        writer.writerows((" ".join(texts[row][0].split()), texts[row][1]) for row in rows)
    print(split, len(rows), "rows,", len({texts[row][1] for row in rows}), "categories")


texts, embeddings = read("train")
train, taken = list(range(GOLDEN_CORPUS)), Counter()
for row in range(GOLDEN_CORPUS, len(texts)):
    category = texts[row][1]
    taken[category] += 1
    if taken[category] <= TRAIN_PER_CATEGORY:
        train.append(row)
write("train", texts, embeddings, train)

texts, embeddings = read("test")
golden = list(range(0, len(texts), len(texts) // GOLDEN_QUERIES))[:GOLDEN_QUERIES]
write("test", texts, embeddings, golden + [row for row in range(len(texts)) if row % TEST_STEP == 1 and row not in golden])

#!/usr/bin/env bash
# Fetches the data of benchmarks/learning/run.py from Debian's packages into a folder: data.sh FOLDER [PYTHON]
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
python=${2:-python3}
cd "$folder"
apt-get download dataset-fashion-mnist r-cran-kernlab r-cran-mlbench ferret-datasets
for package in *.deb; do dpkg -x "$package" packages; done
cp packages/usr/share/datasets/fashion-mnist/*.gz packages/usr/share/ferret-vis/data/esku_heat_budget.cdf .
"$python" - <<'PYTHON'
"""Numbers of R data frames (R's serialisation, XDR) as .npy: spam without its class, letters with it in the last column."""
import bz2, gzip, lzma, struct
import numpy as np


def columns(file, rows, types):
    """A column is a vector: its flags with its type (13 integers, 14 doubles), its length, its values."""
    raw = open(f"packages/usr/lib/R/site-library/{file}", "rb").read()
    for decompress in (gzip.decompress, bz2.decompress, lzma.decompress):
        try:
            raw = decompress(raw)
            break
        except Exception:
            pass
    found, at, mark = [], 0, struct.pack(">i", rows)
    while (at := raw.find(mark, at)) >= 0:
        if raw[at - 1] in types:
            kind = ">i4" if raw[at - 1] == 13 else ">f8"
            found.append(np.frombuffer(raw, kind, rows, at + 4).astype("<f8"))
            at += found[-1].size * (4 if kind == ">i4" else 8)
        at += 4
    return np.stack(found, 1)


spam = columns("kernlab/data/spam.rda", 4601, {14})
assert spam.shape[1] == 57, spam.shape
np.save("spam.npy", spam)
letters = columns("mlbench/data/LetterRecognition.rda", 20000, {13, 14})
assert letters.shape[1] == 17 and letters[:, 0].max() == 26, letters.shape
np.save("letters.npy", np.column_stack([letters[:, 1:], letters[:, 0] - 1]))
PYTHON

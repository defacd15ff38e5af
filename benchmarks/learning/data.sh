#!/usr/bin/env bash
# Fetches the data of benchmarks/learning/run.py from Debian's packages into a folder: data.sh FOLDER [PYTHON]
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
python=${2:-python3}
cd "$folder"
apt-get download dataset-fashion-mnist r-cran-kernlab
for package in *.deb; do dpkg -x "$package" packages; done
cp packages/usr/share/datasets/fashion-mnist/*.gz .
"$python" - <<'PYTHON'
"""spam.rda (R's serialisation, XDR) to spam.npy: the numbers of its columns."""
import bz2, gzip, lzma, struct
import numpy as np

raw = open("packages/usr/lib/R/site-library/kernlab/data/spam.rda", "rb").read()
for decompress in (gzip.decompress, bz2.decompress, lzma.decompress):
    try:
        raw = decompress(raw)
        break
    except Exception:
        pass
# Each numeric column is a vector of doubles: its flags with type 14, its length, its values. 4601 is the number of rows.
columns, at = [], 0
mark = struct.pack(">i", 4601)
while (at := raw.find(mark, at)) >= 0:
    if raw[at - 1] == 14:
        columns.append(np.frombuffer(raw, ">f8", 4601, at + 4))
        at += 8 * 4601
    at += 4
assert len(columns) == 57, len(columns)
np.save("spam.npy", np.stack(columns, 1).astype("<f8"))
PYTHON

"""Writes a Parquet table by pandas and pyarrow. Argument: the file."""

import sys

import numpy as np
import pandas as pd

n = 5000
g = np.arange(n)
pd.DataFrame(
    {
        "i": g.astype("i4") - 7,
        "x": np.where(g % 10 == 3, np.nan, np.sin(g)),
        "f": (g / 8).astype("f4"),
        "flag": g % 3 == 0,
        "when": pd.Timestamp("2001-02-03T06:00") + pd.to_timedelta(g, unit="h"),
        "zoned": (pd.Timestamp("2001-02-03T06:00") + pd.to_timedelta(g, unit="h")).tz_localize("Asia/Tokyo"),
        "maybe": pd.array([None if i % 7 == 0 else i for i in g], dtype="Int64"),
        "text": [f"row {i}" for i in g],
    }
).to_parquet(sys.argv[1], engine="pyarrow", row_group_size=700)

"""The scores of a forecast, by NumPy and xarray alone.

Arguments: the file with the truth; the forecast; the first and the last year of the training; the first
and the last test sample, counted along the truth's times. Prints JSON:
{region: {target: {rmse_weighted, mae_weighted, bias_weighted, acc, baselines, skill}}}, with the targets
"sst(t+1)", "sst(t+2)" and "all", and the regions "everywhere", "tropics", "edge" and "basin".
"""

import json
import sys
import warnings

import numpy as np
import xarray

warnings.simplefilter("ignore", RuntimeWarning)  # land has no mean
truth_file, forecast_file = sys.argv[1:3]
first_year, last_year, first, last = map(int, sys.argv[3:7])
with xarray.open_dataset(truth_file, engine="netcdf4") as data:
    sst = data.sst.values.astype("f8")
    years, months = data.time.dt.year.values, data.time.dt.month.values
    lat, lon, basin = data.lat.values, data.lon.values, data.basin.values
with xarray.open_dataset(forecast_file, engine="netcdf4") as data:
    forecast = data.sst.values.astype("f8")  # time, lead, lat, lon

train = (years >= first_year) & (years <= last_year)
means = np.stack([np.nanmean(sst[train & (months == m)], axis=0) if m else sst[0] * np.nan for m in range(13)])
anomaly = sst - means[months]

weights = np.broadcast_to(np.cos(np.deg2rad(lat))[:, None], sst.shape[1:])
regions = {
    "everywhere": np.ones(sst.shape[1:], bool),
    "tropics": np.broadcast_to((np.abs(lat) <= 20)[:, None], sst.shape[1:]),
    "edge": np.broadcast_to(((lon >= 290) | (lon <= 70))[None], sst.shape[1:]),
    "basin": basin >= 0.5,
}


def cases(lead):
    """Truth, forecast and baselines of all test samples at a lead."""
    pairs = [(a, a + lead) for a in range(len(sst) - lead) if train[a] and train[a + lead]]
    x = np.stack([anomaly[a] for a, _ in pairs])
    y = np.stack([anomaly[b] for _, b in pairs])
    both = ~np.isnan(x * y)
    r = (x * y)[both].sum() / np.sqrt((x[both] ** 2).sum() * (y[both] ** 2).sum())
    slope = np.nansum(np.where(both, x * y, 0), 0) / np.where(both, x * x, 0).sum(0)
    at = np.arange(first, last + 1)
    climatology = means[months[at + lead]]
    now = np.nan_to_num(anomaly[at])  # where nothing is known now, the climatology is all that is left
    return sst[at + lead], forecast[at, lead - 1], {
        "climatology": climatology,
        "persistence": sst[at],
        "damped_anomaly": climatology + r * now,
        "autoregression": climatology + np.nan_to_num(slope) * now,
    }


def scores(parts, inside):
    """Of several (truth, forecast, baselines), each [sample, lat, lon]."""
    truth = np.concatenate([p[0] for p in parts])
    predicted = np.concatenate([p[1] for p in parts])
    w = np.broadcast_to(weights, truth.shape)
    known = ~np.isnan(truth) & inside
    mean = lambda v, where: (w * np.where(where, v, 0)).sum() / (w * where).sum()
    error = predicted - truth
    result = {
        "rmse_weighted": np.sqrt(mean(error**2, known)),
        "mae_weighted": mean(abs(error), known),
        "bias_weighted": mean(error, known),
        "baselines": {},
        "skill": {},
    }
    for name in parts[0][2]:
        baseline = np.concatenate([p[2][name] for p in parts])
        both = known & ~np.isnan(baseline)
        mse = mean((baseline - truth) ** 2, both)
        result["baselines"][name] = np.sqrt(mse)
        result["skill"][name] = 1 - mean(error**2, both) / mse
        if name == "climatology":
            p, a = predicted - baseline, truth - baseline
            total = lambda v: (w * np.where(both, v, 0)).sum()
            result["acc"] = total(p * a) / np.sqrt(total(p * p) * total(a * a))
    return result


leads = {f"sst(t+{lead})": cases(lead) for lead in (1, 2)}
print(
    json.dumps(
        {
            region: {**{name: scores([part], inside) for name, part in leads.items()},
                     "all": scores(list(leads.values()), inside)}
            for region, inside in regions.items()
        }
    )
)

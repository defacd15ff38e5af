#!/usr/bin/env python3
"""The quickstart's emulator by scikit-learn's MLPRegressor: same data, network, optimiser, batch and epochs.

    python3 emulator_sklearn.py esku_heat_budget.cdf

Prints one JSON object: seconds of fit() and R² by target. Needs NumPy, SciPy and scikit-learn.
"""
import json
import sys
import time
import warnings

import numpy as np
from scipy.io import netcdf_file
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor

FEATURES = ["SPD", "SST", "AT", "AH", "CLD"]
TARGETS = ["FSR", "FUL", "FLH", "FSH"]


def read(path):
    with netcdf_file(path, mmap=False) as file:
        months, latitudes, longitudes = file.variables[FEATURES[0]].shape
        columns = []
        for name in FEATURES + TARGETS:
            variable = file.variables[name]
            values = variable[:].astype(np.float64).ravel()
            values[values == float(np.ravel(variable.missing_value)[0])] = np.nan
            columns.append(values)
        month = np.repeat(np.arange(months), latitudes * longitudes)
        phase = 2 * np.pi * month / months
        latitude = np.tile(np.repeat(file.variables["ESKUY"][:], longitudes), months)
    inputs = columns[:5] + [np.sin(phase), np.cos(phase), np.sin(np.radians(latitude))]
    table = np.column_stack(inputs + columns[5:])
    table = table[~np.isnan(table).any(axis=1)]
    return table[:, :8], table[:, 8:]


def main():
    inputs, targets = read(sys.argv[1])
    order = np.random.default_rng(42).permutation(len(inputs))
    held_out, training = order[:len(order) // 5], order[len(order) // 5:]
    mean, deviation = inputs[training].mean(0), inputs[training].std(0)
    target_mean, target_deviation = targets[training].mean(0), targets[training].std(0)
    network = MLPRegressor(hidden_layer_sizes=(128, 128), batch_size=256, learning_rate_init=1e-3, max_iter=30, alpha=0,
                           n_iter_no_change=1000, random_state=0)
    warnings.simplefilter("ignore", ConvergenceWarning)
    begin = time.perf_counter()
    network.fit((inputs[training] - mean) / deviation, (targets[training] - target_mean) / target_deviation)
    seconds = time.perf_counter() - begin
    predicted = network.predict((inputs[held_out] - mean) / deviation) * target_deviation + target_mean
    scores = {name: r2_score(targets[held_out, i], predicted[:, i]) for i, name in enumerate(TARGETS)}
    print(json.dumps({"samples": len(inputs), "seconds": seconds, "r2": scores}))


if __name__ == "__main__":
    main()

"""Prints the settings and figures of RenyiAccountantTest, by dp-accounting.

usage: pip install dp-accounting==0.6.0 && python accountant_settings.py

Columns: sampler, population, clients a round, noise over clipping norm, rounds, delta, epsilon and order
of the RDP accountant; and for Poisson samples epsilon of the PLD accountant, which is nearly exact.
"""

import math

from dp_accounting import dp_event, privacy_accountant
from dp_accounting.pld import pld_privacy_accountant
from dp_accounting.rdp import rdp_privacy_accountant

SETTINGS = [
    ("POISSON", 60000, 256, 1.12, 14062, 1e-5),
    ("POISSON", 60000, 256, 1.3, 3515, 1e-5),
    ("POISSON", 1000, 10, 1.0, 1000, 1e-5),
    ("POISSON", 1000, 100, 1.0, 100, 1e-5),
    ("POISSON", 1000, 100, 0.8, 50, 1e-3),
    ("POISSON", 10, 2, 1.0, 50, 1e-2),
    ("POISSON", 1000000, 1000, 0.6, 10000, 1e-7),
    ("POISSON", 1000, 1000, 5.0, 1, 1e-5),
    ("FIXED_SIZE", 10000, 100, 2.0, 1000, 1e-5),
    ("FIXED_SIZE", 1000, 100, 4.0, 100, 1e-4),
    ("FIXED_SIZE", 1000000, 1000, 1.6, 5000, 1e-7),
    ("FIXED_SIZE", 100, 100, 20.0, 10, 1e-3),
]

REPLACE_ONE = privacy_accountant.NeighboringRelation.REPLACE_ONE


def event(sampler, population, clients, noise):
    if sampler == "POISSON":
        return dp_event.PoissonSampledDpEvent(clients / population, dp_event.GaussianDpEvent(noise))
    # Replacing one client's update changes the sum by two clipping norms, not by one.
    return dp_event.SampledWithoutReplacementDpEvent(population, clients, dp_event.GaussianDpEvent(noise / 2))


for sampler, population, clients, noise, rounds, delta in SETTINGS:
    poisson = sampler == "POISSON"
    one = event(sampler, population, clients, noise)
    accountant = rdp_privacy_accountant.RdpAccountant() if poisson else rdp_privacy_accountant.RdpAccountant(
        neighboring_relation=REPLACE_ONE)
    accountant.compose(one, rounds)
    epsilon, order = accountant.get_epsilon_and_optimal_order(delta)
    nearly_exact = math.nan
    if poisson:
        losses = pld_privacy_accountant.PLDAccountant(value_discretization_interval=1e-3)
        nearly_exact = losses.compose(one, rounds).get_epsilon(delta)
    print(sampler, population, clients, noise, rounds, delta, repr(float(epsilon)), order, f"{nearly_exact:.4f}", sep=", ")

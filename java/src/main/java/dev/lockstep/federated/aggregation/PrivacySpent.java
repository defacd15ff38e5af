package dev.lockstep.federated.aggregation;

import dev.lockstep.federated.privacy.PrivacyLedger;

/**
 * An upper bound of what a federation's rounds have told about any of its clients.
 *
 * @param epsilon ε of (ε, δ) differential privacy
 * @param delta δ
 * @param order the Rényi order that gave it
 * @param clipNorm the length to which changes of the next round would be shortened
 * @param ledger the rounds that it counts
 */
public record PrivacySpent(
    double epsilon, double delta, double order, double clipNorm, PrivacyLedger ledger) {}

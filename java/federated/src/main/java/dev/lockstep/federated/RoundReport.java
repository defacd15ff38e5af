package dev.lockstep.federated;

import dev.lockstep.monitor.ValidationScores;
import java.util.Optional;

/**
 * What happened in a round.
 *
 * @param round from 1
 * @param selected clients that were asked
 * @param answered those that answered in time
 * @param rejected those of them whose change was not finite
 * @param samples that the accepted clients have
 * @param bytes that went over the network, or would have: work and models, and what selection and
 *     secure aggregation ask for; of a simulation without the headers of messages
 * @param trainLoss mean of the accepted clients' losses, by samples; NaN without any
 * @param lossSpread standard deviation of their losses
 * @param changeNorm the 2-norm of what the server stepped along
 * @param staleness mean number of models by which the changes were late
 * @param simulatedSeconds since the beginning, as {@code latency} has it; NaN over a network
 * @param seconds that the round took here
 * @param loss of the server's model on the held-out samples; NaN in rounds that do not score
 * @param scores of the same; empty likewise
 * @param backdoorSuccess share of held-out samples of other classes that the trigger turns
 * @param epsilon of the rounds so far, where there is privacy
 */
public record RoundReport(
    int round,
    int selected,
    int answered,
    int rejected,
    long samples,
    long bytes,
    double trainLoss,
    double lossSpread,
    double changeNorm,
    double staleness,
    double simulatedSeconds,
    double seconds,
    double loss,
    Optional<ValidationScores> scores,
    Optional<Double> backdoorSuccess,
    Optional<Double> epsilon) {}

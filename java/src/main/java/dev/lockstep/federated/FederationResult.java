package dev.lockstep.federated;

import java.util.Optional;

/**
 * How a federation ended.
 *
 * @param stopped whether it was asked to stop before its last round
 * @param rounds that are done
 * @param last what happened in the last round of this run; empty if there was none to do
 * @param modelSha256 of the server's model, as float64 numbers in big-endian order
 * @param partition who had which samples
 * @param classCounts samples by [client][class]; empty without classes
 */
public record FederationResult(
    boolean stopped,
    int rounds,
    Optional<RoundReport> last,
    String modelSha256,
    Partition partition,
    Optional<int[][]> classCounts) {}

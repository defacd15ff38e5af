package dev.lockstep.federated;

import dev.lockstep.federated.aggregation.PrivacySpent;
import dev.lockstep.federated.privacy.CanaryAudit;
import java.util.List;
import java.util.Optional;

/**
 * How a federation ended.
 *
 * @param stopped whether it was asked to stop before its last round
 * @param rounds that are done
 * @param last what happened in the last round of this run; empty if there was none to do
 * @param modelSha256 of the server's model, as float64 numbers in big-endian order
 * @param samples of each client, as far as they are known
 * @param classCounts samples by [client][class]; empty without classes
 * @param privacy what all rounds have told about any client; empty without privacy
 * @param audit what canaries found of the mechanism; empty without, or if it was stopped
 */
public record FederationResult(
    boolean stopped,
    int rounds,
    Optional<RoundReport> last,
    String modelSha256,
    List<Integer> samples,
    Optional<int[][]> classCounts,
    Optional<PrivacySpent> privacy,
    Optional<CanaryAudit.Result> audit) {}

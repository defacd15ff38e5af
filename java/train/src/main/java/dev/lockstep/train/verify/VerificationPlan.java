package dev.lockstep.train.verify;

import dev.lockstep.comm.CommunicatorConfig;
import java.time.Duration;

/**
 * How much to try.
 *
 * @param backend between the ranks
 * @param ranks of the group, at least 2
 * @param schedules runs with other delays between the ranks' operations
 * @param faults ranks that are killed, and as many that fall silent, in runs of their own
 * @param seed of delays and of the moments of faults
 * @param limit after which a run counts as hanging
 */
public record VerificationPlan(
    CommunicatorConfig.Choice backend,
    int ranks,
    int schedules,
    int faults,
    long seed,
    Duration limit) {
  /** Checks the ranges. */
  public VerificationPlan {
    if (ranks < 2) {
      throw new IllegalArgumentException("a strategy is verified with at least 2 ranks");
    }
    if (schedules < 0 || faults < 0) {
      throw new IllegalArgumentException("numbers of runs are not negative");
    }
  }
}

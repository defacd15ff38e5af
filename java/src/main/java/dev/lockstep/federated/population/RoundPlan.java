package dev.lockstep.federated.population;

import java.util.List;

/**
 * Who takes part in a round, known to all ranks before anybody trains.
 *
 * @param assignments in the order of the clients, or for FedBuff of their arrival
 * @param selected clients that were asked
 * @param late those of them that missed the deadline
 * @param seconds the simulated time at the round's end
 */
public record RoundPlan(List<Assignment> assignments, int selected, int late, double seconds) {
  /** Copies the list. */
  public RoundPlan {
    assignments = List.copyOf(assignments);
  }
}

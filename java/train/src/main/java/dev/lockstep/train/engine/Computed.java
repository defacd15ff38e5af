package dev.lockstep.train.engine;

import java.util.BitSet;

/**
 * What this rank's forward and backward passes of a step gave, besides the gradients.
 *
 * @param lossIsFinite whether all losses are
 * @param used the parameters that backward reached, by index; valid until the next step begins
 * @param parameters how many there are
 */
public record Computed(boolean lossIsFinite, BitSet used, int parameters) {
  /** Whether backward reached all parameters. */
  public boolean usesAll() {
    return used.cardinality() == parameters;
  }
}

package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

/**
 * What a run has released: what is to be written down, and all that the accountant needs.
 * Immutable.
 *
 * @param sampling how the clients of all rounds were drawn
 * @param entries rounds with their noise, in order
 */
public record PrivacyLedger(ClientSampling sampling, List<Entry> entries) {
  /**
   * Rounds with the same noise.
   *
   * @param rounds how many, at least 1
   * @param noiseMultiplier the noise's standard deviation over the clipping norm, all that a round
   *     released taken together
   */
  public record Entry(long rounds, double noiseMultiplier) {
    /**
     * @throws IllegalArgumentException for less than one round, or noise that is negative
     */
    public Entry {
      if (rounds < 1) {
        throw new IllegalArgumentException("rounds must be at least 1, not " + rounds);
      }
      RenyiAccountant.checkNoise(noiseMultiplier);
    }
  }

  public PrivacyLedger {
    requireNonNull(sampling, "sampling");
    entries = List.copyOf(requireNonNull(entries, "entries"));
  }

  /** Of no rounds yet. */
  public static PrivacyLedger of(ClientSampling sampling) {
    return new PrivacyLedger(sampling, List.of());
  }

  /**
   * With one round more of a mechanism.
   *
   * @throws IllegalArgumentException for a mechanism whose clients are drawn in another way: the
   *     bounds of two ways speak of different neighbours and do not add up
   */
  public PrivacyLedger plusRound(DifferentialPrivacy mechanism) {
    return plusRounds(mechanism, 1);
  }

  /**
   * With rounds more of a mechanism, see {@link #plusRound}.
   *
   * @throws IllegalArgumentException for a mechanism whose clients are drawn in another way
   */
  public PrivacyLedger plusRounds(DifferentialPrivacy mechanism, long rounds) {
    if (!requireNonNull(mechanism, "mechanism").sampling().equals(sampling)) {
      throw new IllegalArgumentException(
          "The ledger is of "
              + sampling
              + "; rounds of "
              + mechanism.sampling()
              + " cannot be added to it: start a ledger for each.");
    }
    List<Entry> all = new ArrayList<>(entries);
    Entry added = new Entry(rounds, mechanism.noiseMultiplier());
    int last = all.size() - 1;
    if (last >= 0 && all.get(last).noiseMultiplier() == added.noiseMultiplier()) {
      added = new Entry(all.remove(last).rounds() + rounds, added.noiseMultiplier());
    }
    all.add(added);
    return new PrivacyLedger(sampling, all);
  }

  /** All rounds. */
  public long rounds() {
    return entries.stream().mapToLong(Entry::rounds).sum();
  }

  /** The entries added up. */
  public RenyiAccountant accountant() {
    RenyiAccountant sum = RenyiAccountant.create();
    for (Entry entry : entries) {
      sum = sum.plus(sampling, entry.noiseMultiplier(), entry.rounds());
    }
    return sum;
  }

  /**
   * The upper bound of what all rounds together tell about a client.
   *
   * @throws IllegalArgumentException for a delta not between 0 and 1
   */
  public RenyiAccountant.Bound spent(double delta) {
    return accountant().bound(delta);
  }
}

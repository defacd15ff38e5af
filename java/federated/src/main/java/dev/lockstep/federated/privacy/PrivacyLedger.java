package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

/**
 * What a run has released: what is to be written down, and all that the accountant needs.
 * Immutable.
 *
 * @param entries rounds in order, all with the same sampler
 */
public record PrivacyLedger(List<Entry> entries) {
  /**
   * Rounds that were alike.
   *
   * @param sampling how the clients were drawn
   * @param noiseMultiplier the noise's standard deviation over the clipping norm, all that a round
   *     released taken together
   * @param rounds how many, at least 1
   */
  public record Entry(ClientSampling sampling, double noiseMultiplier, long rounds) {
    /**
     * @throws IllegalArgumentException for less than one round, or noise that is negative
     */
    public Entry {
      requireNonNull(sampling, "sampling");
      RenyiAccountant.checkNoise(noiseMultiplier);
      if (rounds < 1) {
        throw new IllegalArgumentException("rounds must be at least 1, not " + rounds);
      }
    }

    private boolean isLike(Entry other) {
      return sampling.equals(other.sampling) && noiseMultiplier == other.noiseMultiplier;
    }
  }

  /**
   * @throws IllegalArgumentException for entries of two samplers, whose bounds speak of different
   *     neighbours and do not add up
   */
  public PrivacyLedger {
    entries = List.copyOf(requireNonNull(entries, "entries"));
    for (Entry entry : entries) {
      RenyiAccountant.checkSampler(entries.get(0).sampling.sampler(), entry.sampling.sampler());
    }
  }

  /** Of no rounds yet. */
  public static PrivacyLedger empty() {
    return new PrivacyLedger(List.of());
  }

  /**
   * With one round more of a mechanism.
   *
   * @throws IllegalArgumentException for another sampler than that of the rounds before
   */
  public PrivacyLedger plusRound(DifferentialPrivacy mechanism) {
    return plusRounds(mechanism, 1);
  }

  /**
   * With rounds more of a mechanism.
   *
   * @throws IllegalArgumentException for another sampler than that of the rounds before
   */
  public PrivacyLedger plusRounds(DifferentialPrivacy mechanism, long rounds) {
    requireNonNull(mechanism, "mechanism");
    List<Entry> all = new ArrayList<>(entries);
    Entry added = new Entry(mechanism.sampling(), mechanism.noiseMultiplier(), rounds);
    int last = all.size() - 1;
    if (last >= 0 && all.get(last).isLike(added)) {
      long before = all.remove(last).rounds();
      added = new Entry(added.sampling(), added.noiseMultiplier(), before + rounds);
    }
    all.add(added);
    return new PrivacyLedger(all);
  }

  /** All rounds. */
  public long rounds() {
    return entries.stream().mapToLong(Entry::rounds).sum();
  }

  /** The entries added up. */
  public RenyiAccountant accountant() {
    RenyiAccountant sum = RenyiAccountant.create();
    for (Entry entry : entries) {
      sum = sum.plus(entry.sampling(), entry.noiseMultiplier(), entry.rounds());
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

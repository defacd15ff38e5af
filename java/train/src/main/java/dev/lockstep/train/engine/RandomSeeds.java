package dev.lockstep.train.engine;

import dev.lockstep.model.StageSeeds;

/** Seeds for libtorch's generator. */
public final class RandomSeeds {
  private RandomSeeds() {}

  /** A seed of its own for every step and rank; far apart for neighbours. */
  static long of(long seed, long step, int rank) {
    return mix(mix(mix(seed) + step) + rank);
  }

  /**
   * Seeds of the stages of a model for one piece of a rank's share of a batch.
   *
   * @param rank among those that share out the batch
   */
  public static StageSeeds ofPiece(long seed, long step, int rank, MicroBatch piece) {
    long ofPiece = mix(of(seed, step, rank) + piece.from());
    return stage -> mix(ofPiece + stage);
  }

  /** The finaliser of SplitMix64 (Steele, Lea and Flood 2014). */
  private static long mix(long z) {
    long bits = z + 0x9E3779B97F4A7C15L;
    bits = (bits ^ (bits >>> 30)) * 0xBF58476D1CE4E5B9L;
    bits = (bits ^ (bits >>> 27)) * 0x94D049BB133111EBL;
    return bits ^ (bits >>> 31);
  }
}

package dev.lockstep.bench;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.ReduceOp;

/**
 * What ranks put into an operation, and what must come out. All numbers are small integers, so that
 * every type holds them and every order of summation gives the same sum, exactly.
 */
record Contents(DataType type, ReduceOp op, int ranks) {
  /** Contributions to a sum are from 0 to this. */
  private static final int LARGEST_TERM = 5;

  /** bf16 holds every integer up to 256, u8 up to 255: at most so many ranks add to a sum. */
  private static final int TERMS = 255 / LARGEST_TERM;

  private static final int LARGEST = 100;

  /** What a rank puts into a reduction. */
  Pattern contribution(int rank) {
    return Pattern.of(type, i -> term(rank, i));
  }

  /** What the reduction of all ranks' contributions must be. */
  Pattern reduction() {
    return Pattern.of(type, this::reduced);
  }

  /** What is only moved, different for each {@code source}. */
  Pattern moved(int source) {
    return Pattern.of(type, i -> hash(source, i) % (LARGEST + 1));
  }

  private double term(int rank, int i) {
    int hash = hash(rank, i);
    return switch (op) {
      case SUM, AVERAGE -> rank % stride() == 0 ? hash % (LARGEST_TERM + 1) : 0;
      // One rank has a 2, so that the product fits every type however many ranks there are.
      case PRODUCT -> hash(0, i) % ranks == rank ? 2 : 1;
      case MIN, MAX -> hash % (LARGEST + 1);
    };
  }

  private int stride() {
    return (ranks + TERMS - 1) / TERMS;
  }

  private double reduced(int i) {
    double result = term(0, i);
    for (int rank = 1; rank < ranks; rank++) {
      double term = term(rank, i);
      result =
          switch (op) {
            case SUM, AVERAGE -> result + term;
            case PRODUCT -> result * term;
            case MIN -> Math.min(result, term);
            case MAX -> Math.max(result, term);
          };
    }
    if (op != ReduceOp.AVERAGE) {
      return result;
    }
    // Below f64 the division is one of floats (the kernels compute in f32).
    return type == DataType.F64 ? result / ranks : (float) result / ranks;
  }

  /** The finaliser of SplitMix64 on rank and index, as 31 bits. */
  private static int hash(int rank, int i) {
    long z = ((long) rank << 32 | i) + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (int) ((z ^ (z >>> 31)) >>> 33);
  }
}

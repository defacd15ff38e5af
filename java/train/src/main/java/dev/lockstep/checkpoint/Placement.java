package dev.lockstep.checkpoint;

import java.util.List;

/** Where a tensor of a training run lies among its ranks. */
public sealed interface Placement {
  /** The one for what is equal on all ranks. */
  Placement REPLICATED = new Replicated();

  /** Equal on all ranks; saved once. */
  record Replicated() implements Placement {}

  /**
   * A whole tensor that not all ranks have. A checkpoint holds it as one that all have.
   *
   * @param rank that writes it
   */
  record Held(int rank) implements Placement {}

  /**
   * One rank's slice of a tensor that exists once; the ranks' slices cover it. A checkpoint holds
   * the whole as one that all have.
   *
   * @param rank that writes it
   * @param shape of the whole tensor
   * @param slice which part of the whole this rank has
   */
  record Sliced(int rank, List<Long> shape, TensorSlice slice) implements Placement {
    /** Copies the list. */
    public Sliced {
      shape = List.copyOf(shape);
    }
  }

  /**
   * One rank's part of a vector that exists once; the ranks' parts cover it.
   *
   * @param from first element of the part
   * @param total elements of the whole
   */
  record Sharded(long from, long total) implements Placement {}

  /**
   * Each rank has its own.
   *
   * @param rule what another number of ranks makes of it
   */
  record PerRank(Resize rule) implements Placement {}

  /** What becomes of tensors that each rank has its own of when their number changes. */
  enum Resize {
    /** Each rank gets the sum, divided by the new number of ranks: residuals, mass. */
    SUM_SHARED_OUT,
    /** Each rank gets the mean: parameters that mix until they are equal. */
    MEAN,
    /** Each rank gets the smallest value of each element: clocks. */
    MINIMUM,
    /** Each rank gets rank 0's: copies that may differ for a while. */
    FIRST
  }
}

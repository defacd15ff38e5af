package dev.lockstep.data;

import java.util.Arrays;
import java.util.Optional;

/**
 * Which samples a rank sees at each step. Every epoch permutes all samples anew, by a seed that all
 * ranks share, and cuts the permutation into global batches; each rank takes its {@link
 * DataPartitioner} share of every global batch.
 *
 * <p>So the global batch of a step holds the same samples whatever the world size is, no sample is
 * seen twice in an epoch and none is left out. The last batch of an epoch holds what remains; a
 * rank may have no sample of it and still takes part in the step. The gradient that one process
 * would have computed is the sum over ranks of (local mean gradient × {@link Batch#weight()}).
 *
 * <p>Mutable: one per rank, used by one thread.
 */
public final class DistributedSampler {
  private final long[] samples;
  private final long[] order;
  private int globalBatchSize;
  private final long seed;
  private final int rank;
  private final int worldSize;
  private final int first;
  private double[] shares = {};
  private long epoch;
  private int step;
  private int taken;

  /**
   * Where a sampler stands; what a checkpoint keeps.
   *
   * @param epoch the epoch, from 0
   * @param step the next step in it, from 0
   * @param samples of the epoch that the steps before have taken
   */
  public record Position(long epoch, int step, long samples) {}

  /**
   * A rank's share of one global batch: the samples {@code indices[from]} … {@code indices[from +
   * count - 1]}, ready for {@link Dataset#read}.
   *
   * @param indices the epoch's order, shared by its batches and valid until the epoch ends; not to
   *     be written
   * @param from the first sample of this rank
   * @param count how many samples this rank has; may be zero in the last batch of an epoch
   * @param globalCount how many samples all ranks have together; at least 1
   */
  @SuppressWarnings("ArrayRecordComponent") // a view into the epoch's order: a copy would allocate
  public record Batch(long[] indices, int from, int count, int globalCount) {
    /** This rank's part of the mean over the global batch. */
    public double weight() {
      return (double) count / globalCount;
    }
  }

  /**
   * Starts at epoch 0, step 0.
   *
   * @param samples the samples to draw from, the same on every rank, at least one; copied
   * @param globalBatchSize samples of a step on all ranks together, at least 1
   * @param seed of the permutations, the same on every rank
   * @param rank this rank
   * @param worldSize the number of ranks
   * @throws IllegalArgumentException if an argument is out of range
   */
  public DistributedSampler(
      long[] samples, int globalBatchSize, long seed, int rank, int worldSize) {
    this(samples, globalBatchSize, seed, rank, worldSize, 0);
  }

  /**
   * As the other, where the first ranks get no samples.
   *
   * @param first the first rank that does, from 0, below {@code worldSize}
   */
  public DistributedSampler(
      long[] samples, int globalBatchSize, long seed, int rank, int worldSize, int first) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("there is no sample to draw from");
    }
    if (globalBatchSize < 1) {
      throw new IllegalArgumentException("batch size must be at least 1, not " + globalBatchSize);
    }
    if (rank < 0 || rank >= worldSize) {
      throw new IllegalArgumentException("there is no rank " + rank + " among " + worldSize);
    }
    if (first < 0 || first >= worldSize) {
      throw new IllegalArgumentException(
          "of " + worldSize + " ranks, " + first + " cannot be without samples");
    }
    this.first = first;
    this.samples = samples.clone();
    this.order = new long[samples.length];
    this.globalBatchSize = Math.min(globalBatchSize, samples.length);
    this.seed = seed;
    this.rank = rank;
    this.worldSize = worldSize;
    permute();
  }

  /** Has batches, from the next on, another size: samples on all ranks together, at least 1. */
  public void resize(int samplesOfAStep) {
    if (samplesOfAStep < 1) {
      throw new IllegalArgumentException("batch size must be at least 1, not " + samplesOfAStep);
    }
    globalBatchSize = Math.min(samplesOfAStep, samples.length);
  }

  /**
   * Gives each rank, from the next batch on, a part of its own instead of an equal one.
   *
   * @param parts by rank, not negative; what counts is how they compare
   */
  public void share(double[] parts) {
    double sum = Arrays.stream(parts).sum();
    if (parts.length != worldSize
        || !(sum > 0 && Double.isFinite(sum))
        || Arrays.stream(parts).anyMatch(part -> part < 0)) {
      throw new IllegalArgumentException(
          Arrays.toString(parts) + " cannot be parts of a batch for " + worldSize + " ranks");
    }
    shares = parts.clone();
  }

  /** Steps of one epoch on every rank with the present size: ⌈samples ÷ global batch size⌉. */
  public int stepsPerEpoch() {
    return (samples.length - 1) / globalBatchSize + 1;
  }

  /** True until the epoch's last batch has been taken. */
  public boolean hasNext() {
    return taken < samples.length;
  }

  /**
   * This rank's share of the next global batch.
   *
   * @throws IllegalStateException if the epoch is over; {@link #nextEpoch} starts another
   */
  public Batch next() {
    if (!hasNext()) {
      throw new IllegalStateException("epoch " + epoch + " is over after " + step + " steps");
    }
    Batch batch = batch();
    step++;
    taken += batch.globalCount();
    return batch;
  }

  /** What {@link #next} will return; empty at the end of an epoch. */
  public Optional<Batch> peek() {
    return hasNext() ? Optional.of(batch()) : Optional.empty();
  }

  private Batch batch() {
    int globalCount = Math.min(globalBatchSize, samples.length - taken);
    DataPartitioner.Range share = share(globalCount);
    return new Batch(order, taken + (int) share.from(), (int) share.size(), globalCount);
  }

  private DataPartitioner.Range share(int globalCount) {
    if (shares.length > 0) {
      return new DataPartitioner.Range(cut(rank, globalCount), cut(rank + 1, globalCount));
    }
    return rank < first
        ? new DataPartitioner.Range(0, 0)
        : new DataPartitioner(globalCount, worldSize - first).partition(rank - first);
  }

  /** Where the samples of a rank begin, to the nearest. */
  private long cut(int rank, int globalCount) {
    double sum = Arrays.stream(shares).sum();
    double before = Arrays.stream(shares, 0, rank).sum();
    return rank == worldSize ? globalCount : Math.round(globalCount * (before / sum));
  }

  /** Goes to the beginning of the next epoch. */
  public void nextEpoch() {
    seek(new Position(epoch + 1, 0, 0));
  }

  /** Where the sampler stands, for {@link #seek}. */
  public Position position() {
    return new Position(epoch, step, taken);
  }

  /**
   * Goes to a position that {@link #position} gave, also that of another sampler over the same
   * samples with the same seed, whatever its world size was.
   *
   * @throws IllegalArgumentException if there is no such position
   */
  public void seek(Position position) {
    if (position.epoch() < 0
        || position.step() < 0
        || position.samples() < position.step()
        || position.samples() > samples.length) {
      throw new IllegalArgumentException(
          position + " does not exist; an epoch has " + samples.length + " samples");
    }
    epoch = position.epoch();
    step = position.step();
    taken = (int) position.samples();
    permute();
  }

  private void permute() {
    System.arraycopy(samples, 0, order, 0, samples.length);
    new SplitMix64(SplitMix64.streamSeed(seed, epoch)).shuffle(order);
  }
}

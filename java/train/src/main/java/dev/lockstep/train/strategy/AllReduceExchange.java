package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.PartNorms;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.UsedParameters;
import dev.lockstep.train.memory.ControlWords;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Works;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sums the ranks' gradients, each weighted by its samples, so that all ranks take the step that one
 * process would take with the joined batch.
 *
 * <p>Gradients are reduced in buckets while backward still computes earlier layers' (Li et al.
 * 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training"). Buckets start
 * in their planned order, whatever order gradients come in, because all ranks must reduce in the
 * same order; those that backward did not complete (parameters that the loss did not use) start
 * after it, with zeros. The control words go beside the last bucket and cost no message.
 */
public final class AllReduceExchange implements GradientExchange {
  private static final double MIB = 1 << 20;

  private final Communicator communicator;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final List<Bucket> buckets;
  private final BucketReduction reduction;
  private final int[] bucketOf;
  private final int[] pendingParameters;
  private final BitSet arrived = new BitSet();
  private final List<Work> pending = new ArrayList<>();
  private final ControlWords words;
  private final UsedParameters used;

  private Consumer<ParameterRange> listener = range -> {};
  private Step current = Step.NONE;
  private double partSquares;
  private int nextBucket;
  private boolean isLastPass;
  private long waitedNanos;

  /**
   * Plans the buckets, and has every rank get the whole sum.
   *
   * @param firstBucketMib MiB of gradients that are sent first, small so that sending begins early
   * @param bucketMib MiB of gradients sent at once after that
   */
  public AllReduceExchange(
      double firstBucketMib,
      double bucketMib,
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers) {
    this(
        communicator.size() == 1 ? List.of() : plan(firstBucketMib, bucketMib, parameters.layout()),
        BucketReduction.whole(communicator, parameters),
        parameters.gradients(),
        communicator,
        parameters,
        buffers);
  }

  /**
   * Takes buckets and a way to reduce them, which it does not own.
   *
   * @param flat whose header takes the control words
   */
  AllReduceExchange(
      List<Bucket> buckets,
      BucketReduction reduction,
      FlatBuffers flat,
      Communicator communicator,
      FlatParameters parameters,
      ModelBuffers buffers) {
    this.buckets = buckets;
    this.reduction = reduction;
    this.communicator = communicator;
    this.parameters = parameters;
    this.buffers = buffers;
    FlatLayout layout = parameters.layout();
    bucketOf = Bucket.bucketOfParameter(buckets, layout);
    pendingParameters = new int[buckets.size()];
    words = new ControlWords(flat);
    used = new UsedParameters(layout, communicator);
  }

  /** The buckets of all parameters, however many ranks there are. */
  static List<Bucket> plan(double firstBucketMib, double bucketMib, FlatLayout layout) {
    return Bucket.plan(layout, (long) (firstBucketMib * MIB), (long) (bucketMib * MIB));
  }

  @Override
  public double weight(Batch batch) {
    return batch.weight();
  }

  @Override
  public void whenReduced(Consumer<ParameterRange> told) {
    listener = told;
  }

  @Override
  public void begin(Step step) {
    current = step;
    nextBucket = 0;
    isLastPass = false;
    arrived.clear();
    partSquares = 0;
    for (int b = 0; b < pendingParameters.length; b++) {
      pendingParameters[b] = buckets.get(b).parameters().size();
    }
    words.set(step.needs().words());
    reduction.begin(step);
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {
    isLastPass = true;
    // Before the last bucket leaves, and with it the words.
    if (!lossIsFinite) {
      words.raise(Word.FAILED);
    }
    if (current.needs().parts() && buckets.isEmpty()) {
      // A rank alone has the gradients of all pieces but the last here.
      partSquares = parameters.squaredGradientNorm();
    }
    // Backward does not read batch statistics' running means, so they may be merged meanwhile.
    buffers.startMerge(current.batch().weight(), 0);
  }

  @Override
  public boolean wantsEach() {
    return !buckets.isEmpty();
  }

  @Override
  public void ready(int parameter) {
    if (arrived.get(parameter)) {
      throw new IllegalStateException(
          "Backward gives a second gradient of "
              + parameters.name(parameter)
              + ", whose first one may be on its way to the others: parts of the model that are"
              + " differentiated apart share it. Leave its stages out of model.recompute, or, where"
              + " batch norms are synchronized, set model.batch_norm: per_rank.");
    }
    arrived.set(parameter);
    pendingParameters[bucketOf[parameter]]--;
    while (nextBucket < buckets.size() && pendingParameters[nextBucket] == 0) {
      startNextBucket();
    }
  }

  /**
   * A backward pass has gone so far that it adds nothing more to the first buckets: these begin, if
   * it is the last pass of the step. For exchanges that hear of no gradient by itself; all ranks
   * call it at the same points.
   */
  void completeFirst(int count) {
    while (isLastPass && nextBucket < count) {
      startNextBucket();
    }
  }

  private void startNextBucket() {
    Bucket bucket = buckets.get(nextBucket);
    nextBucket++;
    if (current.needs().parts()) {
      partSquares += parameters.squaredGradientNorm(bucket.range());
      if (nextBucket == buckets.size()) {
        Batch own = current.batch();
        PartNorms part = PartNorms.of(partSquares, weight(own), own.count());
        words.setSums(part.squares(), part.parts(), part.inverses());
      }
    }
    pending.add(reduction.start(bucket));
  }

  @Override
  public Reduced complete(Computed computed) {
    if (!buckets.isEmpty() && !computed.usesAll()) {
      words.raise(Word.UNUSED);
    }
    while (nextBucket < buckets.size()) {
      startNextBucket();
    }
    long start = System.nanoTime();
    buffers.finishMerge();
    waitedNanos += System.nanoTime() - start;
    double squares = finishBuckets();
    if (buckets.isEmpty() || (reduction.isWhole() && current.needs().norm())) {
      squares = parameters.squaredGradientNorm();
    } else if (!reduction.isWhole()) {
      squares = joined(squares);
    }
    Set<Word> raised = words.raised();
    if (!raised.contains(Word.FAILED) && !areFinite(squares)) {
      raised.add(Word.FAILED);
    }
    boolean anyUnused = buckets.isEmpty() ? !computed.usesAll() : raised.contains(Word.UNUSED);
    List<ParameterRange> updated = used.ofAllRanks(computed, anyUnused);
    if (anyUnused) {
      reduction.updates(updated);
    }
    return new Reduced(updated, squares, parts(), !raised.contains(Word.FAILED), raised);
  }

  private @Nullable PartNorms parts() {
    if (!current.needs().parts()) {
      return null;
    }
    if (!buckets.isEmpty()) {
      return new PartNorms(words.sum(0), words.sum(1), words.sum(2));
    }
    int samples = current.pieces().get(current.pieces().size() - 1).from();
    return PartNorms.of(partSquares, (double) samples / current.batch().globalCount(), samples);
  }

  /**
   * Waits for the buckets in the order in which they began; second exchanges begin in it, too,
   * while later first ones are on the wire.
   *
   * @return the sum of squares where it is not that of the whole that counts
   */
  private double finishBuckets() {
    List<Bucket> second = new ArrayList<>();
    List<Work> seconds = new ArrayList<>();
    double squares = 0;
    try {
      for (int b = 0; b < buckets.size(); b++) {
        await(pending.get(b));
        Work next = reduction.proceed(buckets.get(b));
        if (next == null) {
          double ofBucket = finish(buckets.get(b));
          squares += ofBucket;
          if (b + 1 < buckets.size() && mayBeToldOf(b, ofBucket)) {
            listener.accept(buckets.get(b).range());
          }
        } else {
          second.add(buckets.get(b));
          seconds.add(next);
        }
      }
      for (int b = 0; b < second.size(); b++) {
        await(seconds.get(b));
        squares += finish(second.get(b));
      }
    } finally {
      // What a failure leaves under way is settled with the others.
      pending.addAll(seconds);
    }
    pending.clear();
    return squares;
  }

  /**
   * Whether a bucket's sums are finite, which is not known where the norm of all is to be counted
   * at the end, and all of its parameters have been used here, so that every rank updates them. The
   * last bucket, with which the words come, has nothing left to be ahead of.
   */
  private boolean mayBeToldOf(int bucket, double squares) {
    return reduction.isWhole()
        && !current.needs().norm()
        && pendingParameters[bucket] == 0
        && Double.isFinite(squares);
  }

  private void await(Work work) {
    long start = System.nanoTime();
    work.await();
    waitedNanos += System.nanoTime() - start;
  }

  /** The bucket's squares, counted while later ones are on the wire. */
  private double finish(Bucket bucket) {
    reduction.finish(bucket);
    if (!reduction.isWhole()) {
      return reduction.ownSquares(bucket);
    }
    return current.needs().norm() ? 0 : parameters.squaredGradientNorm(bucket.range());
  }

  /** What ranks that have parts of the sum must tell each other: whether it is finite, its norm. */
  private double joined(double ownSquares) {
    if (!areFinite(ownSquares)) {
      words.raise(Word.FAILED);
    }
    long start = System.nanoTime();
    communicator.allReduce(words.span(), ReduceOp.SUM);
    double squares =
        current.needs().norm()
            ? communicator.allReduce(new double[] {ownSquares}, ReduceOp.SUM)[0]
            : ownSquares;
    waitedNanos += System.nanoTime() - start;
    return squares;
  }

  private boolean areFinite(double squares) {
    return buckets.isEmpty() || reduction.isWhole()
        ? parameters.gradientsAreFinite(squares)
        : reduction.ownAreFinite(squares);
  }

  @Override
  public void declare(TrainingState state) {
    reduction.declare(state);
  }

  @Override
  public boolean reducesExactly() {
    return reduction.isExact();
  }

  @Override
  public boolean measuresParts() {
    return reduction.isExact() && parameters.gradientMemory().isWhole() && words.haveSums();
  }

  @Override
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  @Override
  public void close() {
    Works.settle(pending);
  }
}

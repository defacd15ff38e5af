package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.train.compression.Compression;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.compression.RangeSum;
import dev.lockstep.train.compression.Residual;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.ParameterRange;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sums buckets in compressed form; every rank has everything. The control words go beside the last
 * bucket in a message of their own. When it is closed, rank 0 says what was saved and what that
 * cost.
 */
final class CompressedReduction implements BucketReduction, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CompressedReduction.class);

  private final CompressionConfig config;
  private final Communicator group;
  private final FlatBuffers gradients;
  private final Compression compression;
  private final Map<Bucket, RangeSum> sums = new HashMap<>();
  private @Nullable Work words;
  private long step;
  private long steps;
  private long sentBytes;
  private long plainBytes;
  private long nanos;

  /** Takes the memory. */
  CompressedReduction(
      CompressionConfig config, Communicator group, FlatBuffers gradients, List<Bucket> buckets) {
    this(config, group, gradients, buckets, null);
  }

  /**
   * As the other, with a residual that others use in other steps.
   *
   * @param shared null for one of its own
   */
  CompressedReduction(
      CompressionConfig config,
      Communicator group,
      FlatBuffers gradients,
      List<Bucket> buckets,
      @Nullable Residual shared) {
    this.config = config;
    this.group = group;
    this.gradients = gradients;
    List<ParameterRange> ranges = buckets.stream().map(Bucket::range).toList();
    compression = new Compression(config, group, gradients, ranges, shared);
    try {
      buckets.forEach(bucket -> sums.put(bucket, compression.sum(bucket.range())));
    } catch (RuntimeException e) {
      compression.close();
      throw e;
    }
  }

  @Override
  public void begin(Step now) {
    step = now.number();
    steps++;
    compression.begin(now.learningRate());
  }

  private RangeSum sum(Bucket bucket) {
    return Objects.requireNonNull(sums.get(bucket));
  }

  @Override
  public Work start(Bucket bucket) {
    if (bucket.from() < 0) {
      words =
          group.allReduceAsync(
              gradients.span(bucket.group(), bucket.from(), -bucket.from()), ReduceOp.SUM);
    }
    RangeSum sum = sum(bucket);
    long start = System.nanoTime();
    Work work = sum.start(step, compression.carry());
    nanos += System.nanoTime() - start;
    sentBytes += sum.sentBytes();
    ParameterRange range = bucket.range();
    plainBytes +=
        Compression.allReduceBytes(
            range.count() * gradients.layout().groups().get(range.group()).elementBytes(),
            group.size());
    return work;
  }

  @Override
  public @Nullable Work proceed(Bucket bucket) {
    long start = System.nanoTime();
    Work second = sum(bucket).proceed();
    nanos += System.nanoTime() - start;
    return second;
  }

  @Override
  public void finish(Bucket bucket) {
    long start = System.nanoTime();
    sum(bucket).finish();
    nanos += System.nanoTime() - start;
    if (bucket.from() < 0) {
      // Before the bucket in the group's order, so it has ended.
      Objects.requireNonNull(words).await();
    }
  }

  @Override
  public void updates(List<ParameterRange> updated) {
    compression.takeBack(updated);
  }

  @Override
  public boolean isExact() {
    return false;
  }

  @Override
  public boolean isWhole() {
    return true;
  }

  @Override
  public void declare(TrainingState state) {
    compression.declare(state);
  }

  /** What was saved and what it cost. */
  String report() {
    return String.format(
        Locale.ROOT,
        "Compression %s: a rank sent %.1f MiB in %d steps where gradients as they are take %.1f"
            + " (%.1f times less), for %.2f ms of computation a step.",
        config.type().name().toLowerCase(Locale.ROOT),
        sentBytes / (double) (1 << 20),
        steps,
        plainBytes / (double) (1 << 20),
        plainBytes / (double) Math.max(1, sentBytes),
        nanos * 1e-6 / Math.max(1, steps));
  }

  @Override
  public void close() {
    if (group.rank() == 0 && plainBytes > 0 && config.compresses()) {
      log.info("{}", report());
    }
    compression.close();
  }
}

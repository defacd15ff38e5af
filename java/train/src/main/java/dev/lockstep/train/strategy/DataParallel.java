package dev.lockstep.train.strategy;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Backend;
import dev.lockstep.comm.BackendUnavailableException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.SharedMemory;
import dev.lockstep.train.BatchConfig;
import dev.lockstep.train.Checks;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.PrecisionConfig;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.compression.CompressionConfig.Type;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.FusedStep;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.optimizer.ShardedOptimizer;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * {@code data_parallel}: gradients are summed at every step, so that the result is that of one
 * process with the joined batch.
 */
public final class DataParallel implements StrategyProvider<DataParallel.Options> {
  private static final double MIB = 1 << 20;

  /**
   * The keys beside {@code type}.
   *
   * @param firstBucketMib MiB of gradients that are sent first, small so that sending begins early;
   *     without use with {@code sharding: 3}
   * @param bucketMib MiB of gradients sent at once after that; with {@code sharding: 3} MiB of
   *     parameters that are gathered at once, and 1 unless it is set
   * @param fused whether ranks of one host share one set of parameters and optimiser state, and
   *     reduce and update a slice of it each; null: where they can. The result has the same bits
   * @param sharding 1: each rank keeps a slice of the optimiser's state, updates that slice of the
   *     parameters and gives it to the others (ZeRO, stage 1); 2: it also keeps that slice alone of
   *     the gradients, and a few buckets while backward makes them; 3: it also keeps that slice
   *     alone of the parameters, and gathers those of a few layers while it computes with them; 0:
   *     each keeps all. The bytes sent are as many, with 3 half as many more
   * @param compression how gradients are made smaller before they are summed; not with {@code
   *     fused} or {@code sharding}
   */
  public record Options(
      double firstBucketMib,
      double bucketMib,
      @Nullable Boolean fused,
      int sharding,
      CompressionConfig compression) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Options {
      Checks.positive("first_bucket_mib", firstBucketMib);
      Checks.positive("bucket_mib", bucketMib);
      if (sharding < 0 || sharding > 3) {
        throw new ConfigKeyException("sharding", "must be 0, 1, 2 or 3, not " + sharding + ".");
      }
      if (sharding > 0 && fused != null && fused) {
        throw new ConfigKeyException(
            "sharding", "must be 0 with fused: true, which has one optimiser state for all ranks.");
      }
      if (compression.compresses() && (sharding > 0 || (fused != null && fused))) {
        throw new ConfigKeyException("compression", "must be none with fused: true or sharding.");
      }
    }

    /** Optimiser state on every rank, and gradients as they are. */
    public Options(double firstBucketMib, double bucketMib, @Nullable Boolean fused) {
      this(firstBucketMib, bucketMib, fused, 0, CompressionConfig.none());
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(
        @JsonProperty("first_bucket_mib") @Nullable Double firstBucketMib,
        @JsonProperty("bucket_mib") @Nullable Double bucketMib,
        @JsonProperty("fused") @Nullable Boolean fused,
        @JsonProperty("sharding") @Nullable Integer sharding,
        @JsonProperty("compression") @Nullable CompressionConfig compression) {
      return new Options(
          firstBucketMib == null ? 1 : firstBucketMib,
          bucketMib != null ? bucketMib : sharding != null && sharding == 3 ? 1 : 25,
          fused,
          sharding == null ? 0 : sharding,
          compression == null ? CompressionConfig.none() : compression);
    }

    /** Buckets of 1 MiB, then 25 MiB; fused where the ranks can. */
    public static Options defaults() {
      return of(null, null, null, null, null);
    }

    /** The same with other buckets. */
    public Options withBuckets(double firstMib, double mib) {
      return new Options(firstMib, mib, fused, sharding, compression);
    }

    /**
     * The same with optimiser state in slices (1), gradients, too (2), parameters, too (3), or all
     * on every rank (0). Buckets stay as large as they are.
     */
    public Options withSharding(int stage) {
      return new Options(firstBucketMib, bucketMib, fused, stage, compression);
    }

    /** The same with parameters that are shared, or not. */
    public Options withFused(boolean shared) {
      return new Options(firstBucketMib, bucketMib, shared, sharding, compression);
    }

    /** The same with smaller gradients. */
    public Options withCompression(CompressionConfig smaller) {
      return new Options(firstBucketMib, bucketMib, fused, sharding, smaller);
    }
  }

  @Override
  public String type() {
    return "data_parallel";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    Options small = Options.defaults().withBuckets(0.0005, 0.001);
    // Threads of one process do not share memory as processes do, which fused needs.
    return List.of(
        VerifiedSetting.equal("not fused", small.withFused(false), VerifiedSetting.ADAM, 0),
        // The same bits on 2 ranks and in shared memory; elsewhere sums may be in another order.
        VerifiedSetting.equal("sharding 1", small.withSharding(1), VerifiedSetting.SGD, 1e-5),
        VerifiedSetting.equal("sharding 2", small.withSharding(2), VerifiedSetting.MOMENTUM, 1e-5),
        VerifiedSetting.equal("sharding 3", small.withSharding(3), VerifiedSetting.ADAM, 1e-5),
        VerifiedSetting.equal(
            "top_k of all",
            small.withCompression(CompressionConfig.of(Type.TOP_K).withDensity(1, 0)),
            VerifiedSetting.SGD,
            1e-5),
        VerifiedSetting.equal(
            "power_sgd of full rank",
            small.withCompression(CompressionConfig.of(Type.POWER_SGD).withRank(8, 0)),
            VerifiedSetting.SGD,
            1e-5),
        VerifiedSetting.repeatable(
            "bf16",
            small.withCompression(CompressionConfig.of(Type.BF16)),
            VerifiedSetting.MOMENTUM),
        VerifiedSetting.repeatable("precision bf16", small.withFused(false), VerifiedSetting.ADAM)
            .withTraining(keys -> keys.withPrecision(PrecisionConfig.of("bf16"))),
        // Begins where gradients overflow, so that steps are left out.
        VerifiedSetting.repeatable("precision fp16", small.withSharding(1), VerifiedSetting.ADAM)
            .withTraining(
                keys -> keys.withPrecision(PrecisionConfig.of("fp16").withScale(1 << 24, 4))),
        VerifiedSetting.equal("batch of one size", small.withFused(false), VerifiedSetting.ADAM, 0)
            .withTraining(keys -> keys.withBatch(BatchConfig.adaptive(32, 32))),
        VerifiedSetting.repeatable("batch that grows", small.withFused(false), VerifiedSetting.SGD)
            .withTraining(keys -> keys.withBatch(BatchConfig.adaptive(4, 64))),
        // Parts change once; what they are depends on timing, and the sum does not.
        new VerifiedSetting<>(
            "balance",
            small.withFused(false),
            VerifiedSetting.MOMENTUM,
            OptionalDouble.of(1e-5),
            false,
            keys -> keys.withBalance(true),
            false),
        VerifiedSetting.repeatable(
            "int8 stochastic",
            small.withCompression(CompressionConfig.of(Type.INT8).withStochastic(true)),
            VerifiedSetting.ADAM),
        VerifiedSetting.repeatable(
            "one_bit",
            small.withCompression(CompressionConfig.of(Type.ONE_BIT)),
            VerifiedSetting.SGD),
        VerifiedSetting.dependingOnTiming(
            "compression auto",
            small.withCompression(CompressionConfig.of(Type.AUTO)),
            VerifiedSetting.SGD),
        VerifiedSetting.repeatable(
            "top_k with momentum",
            small.withCompression(
                CompressionConfig.of(Type.TOP_K).withDensity(0.2, 4).withMomentum(0.5)),
            VerifiedSetting.SGD),
        VerifiedSetting.repeatable(
            "power_sgd of rank 2",
            small.withCompression(CompressionConfig.of(Type.POWER_SGD).withRank(2, 0)),
            VerifiedSetting.SGD));
  }

  @Override
  public Role create(Options options, RoleContext context) {
    Communicator group = context.communicator();
    if (options.sharding() == 3 && group.size() > 1) {
      return FullyShardedCompute.compose(context, (long) (options.bucketMib() * MIB));
    }
    if (options.sharding() > 0 && group.size() > 1) {
      return sharded(options, context);
    }
    if (options.compression().compresses()) {
      return compressed(options, context);
    }
    if (options.fused() == null ? canFuse(context) : options.fused()) {
      return fused(context, sharedMemory(group));
    }
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    return context.worker(
        parameters,
        buffers,
        context.own(
            new AllReduceExchange(
                options.firstBucketMib(), options.bucketMib(), group, parameters, buffers)),
        context.own(new LocalOptimizer(context.optimizer(), parameters)),
        ParameterExchange.NONE);
  }

  private static Role sharded(Options options, RoleContext context) {
    Communicator group = context.communicator();
    FlatParameters parameters =
        options.sharding() == 1
            ? context.parameters()
            : context.parameters(
                layout ->
                    context.own(
                        new BucketMemory(layout, buckets(options, layout), group::allocate)));
    ModelBuffers buffers = context.buffers();
    List<Bucket> buckets = buckets(options, parameters.layout());
    List<BitSet> reads = StageGroups.bucketsOfStages(context.model(), buckets, parameters.layout());
    ShardedExchange shards = context.own(new ShardedExchange(group, parameters, buckets, reads));
    return context.worker(
        parameters,
        buffers,
        new AllReduceExchange(buckets, shards, shards.slices(), group, parameters, buffers),
        context.own(
            new ShardedOptimizer(
                context.optimizer(), parameters, shards.shards(), shards.slices())),
        shards,
        shards);
  }

  private static List<Bucket> buckets(Options options, FlatLayout layout) {
    return AllReduceExchange.plan(options.firstBucketMib(), options.bucketMib(), layout);
  }

  /** One rank alone compresses, too, so that what other ranks have kept for it is not lost. */
  private static Role compressed(Options options, RoleContext context) {
    CompressionConfig config = options.compression();
    OptimizerConfig optimizer = context.optimizer();
    if (config.momentum() > 0
        && (optimizer.type() != OptimizerConfig.Type.SGD || optimizer.momentum() > 0)) {
      throw new ConfigKeyException(
          "strategy.compression.momentum",
          "replaces the optimiser's: it needs optimizer.type sgd with momentum 0.");
    }
    Communicator group = context.communicator();
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    List<Bucket> buckets = buckets(options, parameters.layout());
    BucketReduction reduction =
        config.type() == CompressionConfig.Type.AUTO
            ? context.own(
                new AutomaticReduction(group, parameters.gradients(), buckets, System::nanoTime))
            : context.own(new CompressedReduction(config, group, parameters.gradients(), buckets));
    return context.worker(
        parameters,
        buffers,
        new AllReduceExchange(
            buckets, reduction, parameters.gradients(), group, parameters, buffers),
        context.own(new LocalOptimizer(context.optimizer(), parameters)),
        ParameterExchange.NONE);
  }

  private static boolean canFuse(RoleContext context) {
    Communicator group = context.communicator();
    return group.size() > 1
        && group.backend() == Backend.SHARED_MEMORY
        && SharedMemoryNeed.fits(context.model(), context.optimizer(), group);
  }

  private static SharedMemory sharedMemory(Communicator group) {
    Optional<SharedMemory> shared = group.sharedMemory();
    return shared.orElseThrow(
        () ->
            new BackendUnavailableException(
                "The "
                    + group.size()
                    + " ranks of this group ("
                    + group.transport()
                    + ") do not all share memory, which strategy.fused needs: run all of them on"
                    + " one host, or leave strategy.fused out."));
  }

  private static Role fused(RoleContext context, SharedMemory shared) {
    Communicator group = context.communicator();
    FlatParameters parameters =
        context.own(FlatParameters.shared(context.model(), group, shared::allocate));
    ModelBuffers buffers = context.buffers();
    FusedStep step =
        context.own(new FusedStep(context.optimizer(), parameters, buffers, group, shared));
    return context.worker(parameters, buffers, step, step, ParameterExchange.NONE);
  }
}

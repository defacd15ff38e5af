package dev.lockstep.train.strategy.tensor;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.Model;
import dev.lockstep.model.TensorSplit;
import dev.lockstep.train.Checks;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.engine.Replica;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ModelMemory;
import dev.lockstep.train.optimizer.StageOptimizer;
import dev.lockstep.train.strategy.AllReduceExchange;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.StrategyProvider;
import dev.lockstep.train.strategy.VerifiedSetting;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code tensor_parallel}: ranks compute the layers of a model together, each with a slice of their
 * width (Shoeybi et al. 2019, "Megatron-LM"); of several such groups each takes its share of the
 * batch. Each rank keeps the parameters, gradients and optimiser state of its slices, and of the
 * layers that are not cut. The result is that of data-parallel training on as many ranks as there
 * are groups, up to the order in which products are added.
 */
public final class TensorParallel implements StrategyProvider<TensorParallel.Options> {
  /** The name in a configuration. */
  public static final String TYPE = "tensor_parallel";

  /**
   * The keys beside {@code type}.
   *
   * @param tensor which layers are cut
   * @param firstBucketMib MiB of gradients that several groups sum first
   * @param bucketMib MiB of gradients that they sum at once after that
   */
  public record Options(TensorConfig tensor, double firstBucketMib, double bucketMib) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Options {
      Checks.positive("first_bucket_mib", firstBucketMib);
      Checks.positive("bucket_mib", bucketMib);
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(
        @JsonProperty("tensor") @Nullable TensorConfig tensor,
        @JsonProperty("first_bucket_mib") @Nullable Double firstBucketMib,
        @JsonProperty("bucket_mib") @Nullable Double bucketMib) {
      return new Options(
          tensor == null ? TensorConfig.defaults() : tensor,
          firstBucketMib == null ? 1 : firstBucketMib,
          bucketMib == null ? 25 : bucketMib);
    }

    /** All layers that can be cut, with buckets of 1 MiB, then 25 MiB. */
    public static Options defaults() {
      return of(null, null, null);
    }
  }

  @Override
  public String type() {
    return TYPE;
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public int pipelineLength(Options options, MeshConfig asked, Model model, int ranks) {
    if (asked.pipeline() != null && asked.pipeline() > 1) {
      throw new ConfigKeyException(
          "mesh.pipeline",
          "is "
              + asked.pipeline()
              + ", but the layers of a pipeline's parts cannot be cut by their width, too; set"
              + " mesh.pipeline or mesh.tensor alone.");
    }
    return 1;
  }

  @Override
  public int tensorRanks(Options options, MeshConfig asked, Model model, int ranks) {
    int length =
        asked.tensor() != null
            ? asked.tensor()
            : Math.max(1, ranks / (asked.data() == null ? 1 : asked.data()));
    if (length == 1) {
      return 1;
    }
    TensorSplit split = split(options.tensor(), model);
    if (split.isEmpty()) {
      throw new ConfigKeyException(
          "mesh.tensor",
          "is "
              + length
              + ", but no two linear layers of "
              + model
              + " follow each other with only elementwise ones between, of "
              + model.stageNames()
              + "; in a file a linear layer must be a module of its own.");
    }
    if (length > split.mostRanks()) {
      throw new ConfigKeyException(
          "mesh.tensor",
          "must be at most "
              + split.mostRanks()
              + ", the width of the narrowest layer that is cut or its heads, not "
              + length
              + ".");
    }
    return length;
  }

  private static TensorSplit split(TensorConfig config, Model model) {
    return config.finds()
        ? TensorSplit.of(model, List.of(), List.of())
        : TensorSplit.of(model, config.column(), config.row());
  }

  /** Held to data-parallel training up to the order in which products are added. */
  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    Options options = new Options(TensorConfig.defaults(), 0.0005, 0.001);
    return List.of(VerifiedSetting.equal("auto", options, VerifiedSetting.SGD, 1e-5));
  }

  @Override
  public Role create(Options options, RoleContext context) {
    Mesh mesh = context.mesh();
    Model model = context.model();
    SlicedParameters sliced =
        context.own(new SlicedParameters(model, splitFor(options, context), mesh));
    FlatParameters parameters = context.own(new FlatParameters(sliced.own(), mesh.data()));
    ModelBuffers buffers = context.own(new ModelBuffers(model.buffers(), mesh.data()));
    Replica replica =
        new Replica(
            model,
            parameters,
            buffers,
            context.loss(),
            context.reader(),
            context.seed(),
            mesh.data().rank());
    TensorCompute compute =
        new TensorCompute(replica, sliced, parameters, buffers, context.reader(), mesh);
    AllReduceExchange sum =
        new AllReduceExchange(
            options.firstBucketMib(), options.bucketMib(), mesh.data(), parameters, buffers);
    return context.worker(
        compute,
        new TensorExchange(sum, parameters, sliced, mesh),
        new StageOptimizer(context.optimizer(), parameters, sliced.distribution()),
        List.of(
            new ModelMemory(parameters.values(), Optional.of(sliced.distribution())),
            ModelMemory.whole(buffers.values())));
  }

  private static @Nullable TensorSplit splitFor(Options options, RoleContext context) {
    return context.mesh().tensor().size() == 1 ? null : split(options.tensor(), context.model());
  }
}

package dev.lockstep.train.strategy.pipeline;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.Model;
import dev.lockstep.train.Checks;
import dev.lockstep.train.MeshConfig;
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
import dev.lockstep.train.strategy.pipeline.ModelCut.Cuttable;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * {@code pipeline}: a model is cut into parts on several ranks, through which the pieces of a batch
 * pass; of several pipelines each takes its share of the batch. Each rank keeps the parameters,
 * gradients and optimiser state of its part alone. The result has the bits of gradient accumulation
 * over the same pieces, on as many ranks as there are pipelines.
 */
public final class Pipeline implements StrategyProvider<Pipeline.Options> {
  /**
   * The keys beside {@code type}.
   *
   * @param pipeline where the model is cut, and in which order pieces are computed
   * @param firstBucketMib MiB of gradients that several pipelines sum first
   * @param bucketMib MiB of gradients that they sum at once after that
   */
  public record Options(PipelineConfig pipeline, double firstBucketMib, double bucketMib) {
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
        @JsonProperty("pipeline") @Nullable PipelineConfig pipeline,
        @JsonProperty("first_bucket_mib") @Nullable Double firstBucketMib,
        @JsonProperty("bucket_mib") @Nullable Double bucketMib) {
      return new Options(
          pipeline == null ? PipelineConfig.defaults() : pipeline,
          firstBucketMib == null ? 1 : firstBucketMib,
          bucketMib == null ? 25 : bucketMib);
    }

    /** With buckets of 1 MiB, then 25 MiB. */
    public static Options of(PipelineConfig pipeline) {
      return of(pipeline, null, null);
    }
  }

  @Override
  public String type() {
    return "pipeline";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public int pieces(Options options, int accumulationSteps) {
    if (accumulationSteps != 1) {
      throw new ConfigKeyException(
          "training.accumulation_steps",
          "must be 1 with a pipeline, not "
              + accumulationSteps
              + ": strategy.pipeline.micro_batches says into how many pieces a batch is cut.");
    }
    return options.pipeline().microBatches();
  }

  @Override
  public int pipelineLength(Options options, MeshConfig asked, Model model, int ranks) {
    PipelineConfig config = options.pipeline();
    int most = new Cuttable(model).mostParts();
    if (asked.pipeline() == null) {
      return longest(config, most, model, ranks);
    }
    int length = asked.pipeline();
    int chunks = config.chunks();
    int parts = length == 1 ? 1 : length * chunks;
    if (!config.balances() && parts > 1 && parts != config.stages().size()) {
      throw new ConfigKeyException(
          "strategy.pipeline.stages",
          "must name the first layer of each of the "
              + parts
              + " parts (mesh.pipeline × chunks), but names "
              + config.stages()
              + ".");
    }
    if (parts > most) {
      throw new ConfigKeyException(
          "mesh.pipeline",
          divisible(most, model) + "; " + length + " × " + chunks + " need " + parts + ".");
    }
    return length;
  }

  /** The longest pipelines that share out the ranks, with {@code chunks} parts on each rank. */
  private static int longest(PipelineConfig config, int most, Model model, int ranks) {
    if (ranks == 1) {
      return 1;
    }
    List<Integer> lengths =
        IntStream.rangeClosed(2, ranks)
            .filter(length -> ranks % length == 0 && length * config.chunks() <= most)
            .boxed()
            .toList();
    if (lengths.isEmpty()) {
      throw new ConfigKeyException(
          "mesh.pipeline",
          divisible(most, model)
              + "; with "
              + config.chunks()
              + " on each rank, no pipelines of 2 ranks or more share out the run's "
              + ranks
              + " ranks. Change the number of ranks"
              + (config.chunks() > 1 ? " or strategy.pipeline.chunks" : "")
              + ", or set mesh.pipeline: 1 to have the whole model on each rank.");
    }
    if (config.balances()) {
      return lengths.get(lengths.size() - 1);
    }
    int named = config.stages().size();
    if (named % config.chunks() == 0 && lengths.contains(named / config.chunks())) {
      return named / config.chunks();
    }
    List<Integer> possible = lengths.stream().map(length -> length * config.chunks()).toList();
    throw new ConfigKeyException(
        "strategy.pipeline.stages",
        "names "
            + named
            + (named == 1 ? " part, " : " parts, ")
            + config.stages()
            + ", but pipelines that divide the run's "
            + ranks
            + " ranks have "
            + possible.stream().map(String::valueOf).collect(Collectors.joining(" or "))
            + " parts (ranks × chunks); name as many, or set mesh.pipeline: 1 to have the whole"
            + " model on each rank.");
  }

  private static String divisible(int most, Model model) {
    return "the model has "
        + most
        + (most == 1 ? " part that" : " parts that")
        + " can lie on ranks of their own, of its layers "
        + model.stageNames();
  }

  /** The plain orders are held to the bits of data-parallel training up to the pieces' sums. */
  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return List.of(
        setting("gpipe", PipelineSchedule.GPIPE),
        setting("one_f_one_b", PipelineSchedule.ONE_F_ONE_B));
  }

  private static VerifiedSetting<Options> setting(String name, PipelineSchedule schedule) {
    Options options = new Options(PipelineConfig.of(null, schedule, 4, null), 0.0005, 0.001);
    return VerifiedSetting.equal(name, options, VerifiedSetting.SGD, 1e-5);
  }

  @Override
  public Role create(Options options, RoleContext context) {
    Mesh mesh = context.mesh();
    Model model = context.model();
    ModelCut cut = cut(options.pipeline(), context);
    PartTensors allParameters = PartTensors.parameters(model, cut, mesh);
    PartTensors allBuffers = PartTensors.buffers(model, cut, mesh);
    FlatParameters parameters = context.own(new FlatParameters(allParameters.own(), mesh.data()));
    ModelBuffers buffers = context.own(new ModelBuffers(allBuffers.own(), mesh.data()));
    allParameters.release();
    allBuffers.release();
    PipelineCompute compute =
        new PipelineCompute(
            context, cut, options.pipeline(), allParameters, allBuffers, parameters, buffers);
    StageExchange exchange =
        new StageExchange(
            new AllReduceExchange(
                options.firstBucketMib(), options.bucketMib(), mesh.data(), parameters, buffers),
            parameters,
            new OrderedSquares(
                mesh.pipeline(), allParameters, parameters, PartLinks.tags(cut.parts())),
            cut,
            mesh);
    return context.worker(
        compute,
        exchange,
        new StageOptimizer(context.optimizer(), parameters, allParameters.distribution()),
        List.of(
            new ModelMemory(parameters.values(), Optional.of(allParameters.distribution())),
            new ModelMemory(buffers.values(), Optional.of(allBuffers.distribution()))));
  }

  private static ModelCut cut(PipelineConfig config, RoleContext context) {
    Model model = context.model();
    int length = context.mesh().pipeline().size();
    Cuttable cuttable = new Cuttable(model);
    if (length == 1) {
      return cuttable.balanced(new double[model.stages().size()], 1);
    }
    int parts = length * config.chunks();
    ModelCut cut =
        config.balances()
            ? cuttable.balanced(
                StageTimes.measure(model, context.pieceShape(), context.communicator()), parts)
            : cuttable.at(model, config.stages());
    if (cut.parts() != parts) {
      throw new IllegalStateException(cut.parts() + " parts are no pipeline of " + parts);
    }
    return cut;
  }
}

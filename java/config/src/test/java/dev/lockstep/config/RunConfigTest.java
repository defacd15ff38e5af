package dev.lockstep.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.OutputConfig;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunConfigTest {
  private static final String SHORTEST = "name: a\ndata: {synthetic: {}}\n";

  private static RunConfig parse(String text, String... overrides) {
    return ConfigLoader.parse(RunConfig.class, "run.yaml", text, List.of(overrides));
  }

  private static String refusal(String text, String... overrides) {
    return assertThrows(ConfigException.class, () -> parse(text, overrides)).getMessage();
  }

  @Test
  void shortestFileHasEveryDefault() {
    RunConfig config = parse(SHORTEST);
    assertEquals(TrainingConfig.defaults(), config.training());
    assertEquals(ModelConfig.defaults(), config.model());
    assertEquals(OptimizerConfig.defaults(), config.optimizer());
    assertEquals(CommunicatorConfig.defaults(), config.communicator());
    assertEquals(OutputConfig.defaults(), config.output());
  }

  @Test
  void resolvedConfigurationReadsBackEqual() {
    RunConfig config =
        parse(
            SHORTEST,
            "training.early_stopping={patience: 3}",
            "model.activation=gelu",
            "schedule.type=cosine",
            "strategy.type=local_sgd",
            "communicator.tuning=cluster.tuning",
            "communicator.algorithms.all_reduce=halving-doubling");
    assertEquals(Algorithm.HALVING_DOUBLING, config.communicator().algorithms().allReduce());
    assertEquals(config, parse(ConfigLoader.toYaml(config)));
  }

  @Test
  void compressionIsATypeAloneOrKeys() {
    RunConfig alone = parse(SHORTEST, "strategy.compression=int8");
    CompressionConfig int8 = CompressionConfig.of(CompressionConfig.Type.INT8);
    assertEquals(DataParallel.Options.defaults().withCompression(int8), alone.strategy().options());
    assertEquals(alone, parse(ConfigLoader.toYaml(alone)));
    RunConfig keys =
        parse(SHORTEST, "strategy.compression={type: top_k, density: 0.1, error_feedback: false}");
    CompressionConfig sparse =
        CompressionConfig.of("top_k").withDensity(0.1, 0).withErrorFeedback(false);
    assertEquals(
        DataParallel.Options.defaults().withCompression(sparse), keys.strategy().options());
    assertEquals(keys, parse(ConfigLoader.toYaml(keys)));
  }

  @Test
  void compressionThatCannotBeIsRefusedWithItsKey() {
    String density = "name: a\ndata: {synthetic: {}}\nstrategy: {compression: {density: 0}}\n";
    assertTrue(refusal(density).contains("strategy.compression.density"), refusal(density));
    String fused = "name: a\ndata: {synthetic: {}}\nstrategy: {compression: int8, fused: true}\n";
    assertTrue(refusal(fused).contains("strategy.compression"), refusal(fused));
    String key = "name: a\ndata: {synthetic: {}}\nstrategy: {compression: {densty: 0.1}}\n";
    assertTrue(refusal(key).contains("strategy.compression.density"), refusal(key));
  }

  @Test
  void exampleOfTheQuickstartIsValid() {
    Path example = Path.of(System.getProperty("lockstep.repository"), "examples", "heat-flux.yaml");
    RunConfig config = ConfigLoader.load(RunConfig.class, example, List.of());
    assertEquals(List.of(128, 128), config.model().hidden());
    assertEquals(8, config.data().features().size());
  }

  @Test
  void problemsOfSeveralSectionsComeTogether() {
    assertEquals(
        """
        run.yaml:2: unknown key "data.synthetic.sample"; the nearest valid key is "data.synthetic.samples"
        run.yaml:3: unknown key "optimiser"; the nearest valid key is "optimizer"
        run.yaml:4: "model.activation" must be one of relu, tanh, gelu, silu, not "rleu\"""",
        refusal(
            "name: a\ndata: {synthetic: {sample: 3}}\noptimiser: {type: sgd}\nmodel: {activation: rleu}\n"));
  }

  @Test
  void missingNameAndPathLikeNamesAreRefused() {
    assertEquals(
        "run.yaml: name: is missing; give the run one, as in name: heat-flux",
        refusal("data: {synthetic: {}}\n"));
    assertEquals(
        "--set name=../x: name: must be a plain folder name that does not begin with a dot, not"
            + " '../x'.",
        refusal(SHORTEST, "name=../x"));
  }

  @Test
  void missingDataIsRefused() {
    assertEquals(
        "run.yaml: data.path: is missing; give the path of a data file, or a synthetic section",
        refusal("name: a\n"));
  }
}

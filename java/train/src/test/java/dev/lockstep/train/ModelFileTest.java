package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.TensorType;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.ParameterHash;
import dev.lockstep.train.strategy.server.ParameterServerStrategy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Any TorchScript file with trainable parameters trains on any number of ranks. */
@Timeout(120)
class ModelFileTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private Checkpoint trained(int ranks, Path model, OptimizerConfig optimizer) throws Exception {
    Path into = folder.resolve(model.getFileName() + "-" + ranks);
    Runs.train(ranks, Runs.Plan.of(1, optimizer).model(model), data, into);
    return Runs.checkpoint(into);
  }

  private static float[] floats(Checkpoint checkpoint, String tensor) {
    ByteBuffer data = checkpoint.tensor(tensor).data();
    float[] values = new float[data.remaining() / Float.BYTES];
    data.asFloatBuffer().get(values);
    return values;
  }

  @Test
  void batchStatisticsAreEqualOnAllRanksAndConstantsKeepTheirBits() throws Exception {
    Path model = TestModels.batchNorm(folder.resolve("norm.pt"));
    List<String> statistics =
        RankThreads.run(
            3,
            ranks -> {
              try (Model own = Model.load(model);
                  ModelBuffers buffers = new ModelBuffers(own, ranks)) {
                return afterThreeSteps(own, buffers, ranks);
              }
            });
    assertEquals(statistics.get(0), statistics.get(1));
    assertEquals(statistics.get(0), statistics.get(2));

    Checkpoint one = trained(1, model, Runs.SGD);
    Checkpoint three = trained(3, model, Runs.SGD);
    assertEquals(9, three.tensor("buffer.batches").data().getLong());
    for (float value : floats(three, "buffer.constant")) {
      assertEquals(0.1f, value);
    }
    float[] mean = floats(one, "buffer.running_mean");
    assertNotEquals(0, mean[0]);
    for (int i = 0; i < mean.length; i++) {
      assertEquals(mean[i], floats(three, "buffer.running_mean")[i], 1e-5);
    }
  }

  /** 242 samples in batches of 30: in the last step some ranks have no sample. */
  @Test
  void synchronizedBatchNormsTrainOnAnyNumberOfRanksAsOnOne() throws Exception {
    Path model = TestModels.batchNormBetweenLayers(folder.resolve("between.pt"));
    for (ModelConfig.BatchNorm batchNorm : ModelConfig.BatchNorm.values()) {
      ModelConfig config =
          ModelConfig.of(ModelConfig.Type.FILE, null, null, model.toString(), null, batchNorm);
      Runs.Plan small = Runs.Plan.of(2, Runs.SGD);
      Runs.Plan plan = new Runs.Plan(config, small.training(), small.optimizer(), small.strategy());
      Path one = folder.resolve(batchNorm + "-1");
      Path four = folder.resolve(batchNorm + "-4");
      Runs.train(1, plan, data, one);
      Runs.train(4, plan, data, four);
      double difference = Runs.difference(four, one);
      if (batchNorm == ModelConfig.BatchNorm.SYNCHRONIZED) {
        assertTrue(difference < 1e-5, "synchronized: " + difference);
      } else {
        assertTrue(difference > 1e-3, "per rank: " + difference);
      }
    }
  }

  @Test
  void synchronizedBatchNormsAreRefusedWhereTheModelCannotBeCutAtThem() {
    Path model = TestModels.batchNorm(folder.resolve("within.pt"));
    ModelConfig config =
        ModelConfig.of(
            ModelConfig.Type.FILE,
            null,
            null,
            model.toString(),
            null,
            ModelConfig.BatchNorm.SYNCHRONIZED);
    Runs.Plan small = Runs.Plan.of(1, Runs.SGD);
    Runs.Plan plan = new Runs.Plan(config, small.training(), small.optimizer(), small.strategy());
    Throwable thrown =
        assertThrows(Throwable.class, () -> Runs.train(2, plan, data, folder.resolve("r")));
    List<String> messages = new ArrayList<>();
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      messages.add(String.valueOf(cause.getMessage()));
    }
    assertTrue(messages.toString().contains("per_rank"), messages.toString());
  }

  @Test
  void countersOfBatchesAreThoseOfARankThatComputes() throws Exception {
    Path model = TestModels.batchNorm(folder.resolve("counts.pt"));
    Path into = folder.resolve("served");
    StrategyConfig strategy =
        StrategyConfig.of(ParameterServerStrategy.Options.synchronous().withServers(1));
    TrainingResult result =
        Runs.train(3, Runs.Plan.of(1, Runs.SGD).model(model).strategy(strategy), data, into).get(0);
    assertEquals(result.step(), Runs.checkpoint(into).tensor("buffer.batches").data().getLong());
  }

  /** Each rank sees other numbers; rank 2 has no samples in the last step. */
  private static String afterThreeSteps(Model model, ModelBuffers buffers, Communicator ranks) {
    model.setTraining(true);
    buffers.values().broadcast(ranks);
    buffers.snapshot();
    for (int step = 0; step < 3; step++) {
      boolean empty = step == 2 && ranks.rank() == 2;
      if (!empty) {
        try (PointerScope scope = new PointerScope()) {
          Tensor inputs = torch.rand(new long[] {5, 4}).add(new Scalar(step));
          model.forward(inputs);
        }
      }
      double weight = step < 2 ? 1.0 / 3 : 0.5;
      buffers.startMerge(empty ? 0 : weight, 0);
      buffers.finishMerge();
    }
    return ParameterHash.of(buffers.values());
  }

  @Test
  void aParameterWithoutGradientStaysAndDoesNotHoldUpTheRest() throws Exception {
    Path model = TestModels.unused(folder.resolve("unused.pt"));
    Checkpoint one = trained(1, model, Runs.SGD);
    Checkpoint three = trained(3, model, Runs.SGD);
    for (float value : floats(three, "model.unused")) {
      assertEquals(0.1f, value);
    }
    assertEquals(1f, floats(three, "buffer.frozen")[0]);
    assertNotEquals(0.1f, floats(three, "model.w")[0]);
    for (int i = 0; i < 8; i++) {
      assertEquals(floats(one, "model.w")[i], floats(three, "model.w")[i], 1e-6);
    }
  }

  @Test
  void everyFloatingTypeTrains() throws Exception {
    for (ScalarType type :
        List.of(ScalarType.Float, ScalarType.Double, ScalarType.Half, ScalarType.BFloat16)) {
      Path model = TestModels.linear(folder.resolve(type + ".pt"), type);
      Path into = folder.resolve(type.toString());
      TrainingResult result =
          Runs.train(2, Runs.Plan.of(5, Runs.SGD).model(model), data, into).get(0);
      double r2 = result.summary().orElseThrow().scores().r2().get("y1");
      assertTrue(r2 > 0.5, type + ": " + r2);
    }
    assertEquals(
        TensorType.F64, Runs.checkpoint(folder.resolve("Double")).tensor("model.w").type());
  }

  @Test
  void twoTypesAndDropoutTrainAlikeTwice() throws Exception {
    Path model = TestModels.dropoutAndTwoTypes(folder.resolve("two.pt"));
    Runs.Plan plan = Runs.Plan.of(2, Runs.ADAM).model(model);
    // Threads share libtorch's generator, so one rank; ranks as processes have one each.
    Runs.train(1, plan, data, folder.resolve("a"));
    Runs.train(1, plan, data, folder.resolve("b"));
    assertEquals(0, Runs.difference(folder.resolve("a"), folder.resolve("b")));
    Runs.train(3, plan, data, folder.resolve("c"));
    assertTrue(Runs.difference(folder.resolve("c"), folder.resolve("a")) < 0.5);
  }

  @Test
  void theModelFileOfARunCanBeTrainedOn() throws Exception {
    Path first = folder.resolve("first");
    Runs.train(1, Runs.Plan.of(1, Runs.SGD), data, first);
    Path file = new RunFolder(first).model();
    try (Model model = Model.load(file)) {
      assertEquals(
          List.of("layer0.weight", "layer0.bias"),
          model.parameters().subList(0, 2).stream().map(p -> p.name()).toList());
    }
    Checkpoint more = trained(2, file, Runs.SGD);
    assertEquals(Arrays.asList(16L, 4L), more.tensor("model.layer0.weight").shape());
  }
}

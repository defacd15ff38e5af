package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolType;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IntType;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Models as sequences of stages: cuts between them, and batch norms as stages. */
@Timeout(120)
class StagesTest {
  private static final String LAYERS = "__torch__.torch.nn.modules.";

  @TempDir static Path folder;
  private static Path normed;

  @BeforeAll
  static void saveAModel() {
    TorchLibraries.load();
    normed = folder.resolve("normed.pt");
    try (PointerScope scope = new PointerScope()) {
      JitModule inner = sequence(linear(5, 6), batchNorm(6, "self.training"), activation());
      sequence(linear(4, 5), batchNorm(5, "self.training"), inner, linear(6, 1))
          .save(normed.toString());
    }
  }

  private static JitModule module(String name) {
    JitModule module = new JitModule(new QualifiedName(name));
    module.register_attribute("training", new Type.TypePtr(BoolType.get().get()), new IValue(true));
    return module;
  }

  /** As torch.nn.Sequential scripts. */
  private static JitModule sequence(JitModule... parts) {
    JitModule module = module(LAYERS + "container.Sequential");
    StringBuilder forward = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
    for (int i = 0; i < parts.length; i++) {
      module.register_module("part" + i, parts[i]);
      forward.append("    x = self.part" + i + ".forward(x)\n");
    }
    module.define(forward.append("    return x\n").toString());
    return module;
  }

  private static JitModule linear(int inputs, int outputs) {
    JitModule module = module(LAYERS + "linear.Linear");
    parameter(module, "weight", outputs, inputs);
    parameter(module, "bias", outputs);
    module.define(
        "def forward(self, x: Tensor) -> Tensor:\n"
            + "    return torch.linear(x, self.weight, self.bias)\n");
    return module;
  }

  private static JitModule activation() {
    JitModule module = module(LAYERS + "activation.Tanh");
    module.define("def forward(self, x: Tensor) -> Tensor:\n    return torch.tanh(x)\n");
    return module;
  }

  private static JitModule batchNorm(int width, String training) {
    JitModule module = module(LAYERS + "batchnorm.BatchNorm1d");
    parameter(module, "weight", width);
    parameter(module, "bias", width);
    module.register_buffer("running_mean", torch.zeros(width).to(ScalarType.Double));
    module.register_buffer("running_var", torch.ones(width).to(ScalarType.Double));
    module.register_buffer("num_batches_tracked", torch.zeros(1).to(ScalarType.Long));
    module.define(
        """
        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                self.num_batches_tracked.add_(1)
            return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, TRAINING, 0.2, 1e-3, True)
        """
            .replace("TRAINING", training));
    return module;
  }

  private static void parameter(JitModule module, String name, long... shape) {
    module.register_parameter(name, values(shape).set_requires_grad(true), false);
  }

  /** Numbers that differ from each other, in (−1, 1.1). */
  private static Tensor values(long... shape) {
    long count = 1;
    for (long length : shape) {
      count *= length;
    }
    Tensor line = torch.arange(new Scalar(count)).to(ScalarType.Double);
    return line.mul(new Scalar(1.7))
        .add(new Scalar(shape.length))
        .sin()
        .add(new Scalar(0.1))
        .view(shape);
  }

  private static double[] doubles(Tensor tensor) {
    double[] result = new double[(int) tensor.numel()];
    new DoublePointer(tensor.to(ScalarType.Double).contiguous().data_ptr()).get(result);
    return result;
  }

  private static List<double[]> takeGradients(Model model) {
    List<double[]> gradients = new ArrayList<>();
    for (ModelTensor parameter : model.parameters()) {
      gradients.add(doubles(parameter.tensor().grad()));
      parameter.tensor().mutable_grad().reset();
    }
    return gradients;
  }

  private static void assertSame(List<double[]> expected, List<double[]> actual, double within) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      for (int j = 0; j < expected.get(i).length; j++) {
        assertEquals(expected.get(i)[j], actual.get(i)[j], within, "parameter " + i + ", " + j);
      }
    }
  }

  private static void backward(TrainingPass pass, double weight) {
    Tensor error = pass.output().mul(pass.output()).sum();
    pass.backward(error.mul(new Scalar(weight)));
  }

  @Test
  void anMlpIsOneStageALayerAndEveryCutGivesTheGradientsOfTheUncutBitForBit() {
    ModelConfig config = ModelConfig.of(null, List.of(7, 5, 6), null, null, null);
    try (PointerScope scope = new PointerScope();
        Model model = Model.mlp(config, 4, 2, 1)) {
      List<String> names = model.stages().stream().map(Stage::name).toList();
      assertEquals(List.of("layer0", "layer1", "layer2", "layer3"), names);
      Tensor inputs = values(9, 4).to(ScalarType.Float);
      backward(model.trainingPass(inputs, stage -> stage), 0.25);
      List<double[]> uncut = takeGradients(model);
      for (int[] cuts : new int[][] {{1}, {2}, {3}, {1, 3}, {1, 2, 3}}) {
        backward(model.cutPass(inputs, cuts), 0.25);
        assertSame(uncut, takeGradients(model), 0);
      }
    }
  }

  @Test
  void aFileIsCutAtSubmodulesThatFollowEachOtherAndAtTheirs() {
    try (PointerScope scope = new PointerScope();
        Model model = Model.load(normed)) {
      List<String> names = model.stages().stream().map(Stage::name).toList();
      assertEquals(
          List.of("part0", "part1", "part2.part0", "part2.part1", "part2.part2", "part3"), names);
      model.setTraining(true);
      backward(model.trainingPass(values(9, 4), stage -> stage), 1);
      List<double[]> uncut = takeGradients(model);
      backward(model.cutPass(values(9, 4), 1, 4, 5), 1);
      assertSame(uncut, takeGradients(model), 0);
    }
  }

  @Test
  void aModuleWhoseInputIsNeededBesideItsSubmodulesIsOneStage() {
    for (String forward :
        List.of(
            "return self.part0.forward(x) + x",
            "if self.training:\n        x = x * 2\n    return self.part0.forward(x)",
            "y = self.part0.forward(x)\n    return x")) {
      Path file = folder.resolve("whole.pt");
      try (PointerScope scope = new PointerScope()) {
        JitModule module = module("__torch__.Users");
        module.register_module("part0", linear(4, 4));
        module.define("def forward(self, x: Tensor) -> Tensor:\n    " + forward + "\n");
        module.save(file.toString());
      }
      try (Model model = Model.load(file)) {
        assertEquals(List.of(""), model.stages().stream().map(Stage::name).toList(), forward);
      }
    }
  }

  /** As modules of one's own are written: functions between layers, some in place. */
  private static Path functionsBetweenLayers() {
    Path file = folder.resolve("functions.pt");
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module("__torch__.Users");
      module.register_module("a", linear(4, 5));
      module.register_module("n", batchNorm(5, "self.training"));
      module.register_module("b", linear(5, 2));
      parameter(module, "scale", 5);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              h = torch.sin(x) + 0.1
              h = torch.relu_(self.n.forward(self.a.forward(h))) * self.scale
              return self.b.forward(torch.tanh(h) + h)
          """);
      module.save(file.toString());
    }
    return file;
  }

  @Test
  void codeBetweenSubmodulesIsAStageThatSharesTheModelsTensors() {
    try (PointerScope scope = new PointerScope();
        Model model = Model.load(functionsBetweenLayers())) {
      List<String> names = model.stages().stream().map(Stage::name).toList();
      assertEquals(List.of("forward[0:2]", "a", "n", "forward[4:8]", "b"), names);
      model.setTraining(true);
      backward(model.trainingPass(values(9, 4), stage -> stage), 1);
      List<double[]> uncut = takeGradients(model);
      for (int[] cuts : new int[][] {{1}, {2}, {3}, {1, 2, 3, 4}}) {
        backward(model.cutPass(values(9, 4), cuts), 1);
        assertSame(uncut, takeGradients(model), 0);
      }
    }
  }

  /** Numbers of a step: gradients, and then buffers. */
  private static List<double[]> step(Model model, Tensor inputs, double weight) {
    model.setTraining(true);
    backward(model.trainingPass(inputs, stage -> stage), weight);
    List<double[]> numbers = takeGradients(model);
    model.buffers().forEach(buffer -> numbers.add(doubles(buffer.tensor())));
    return numbers;
  }

  @Test
  void synchronizedBatchNormsOfThreeRanksAreThoseOfOneWithTheJoinedBatch() throws Exception {
    assertJoined(normed, 10);
    assertJoined(functionsBetweenLayers(), 7);
  }

  private static void assertJoined(Path file, int parameters) throws Exception {
    List<double[]> joined;
    try (PointerScope scope = new PointerScope();
        Model model = Model.load(file)) {
      joined = step(model, values(8, 4), 1.0 / 8);
    }
    int[] from = {0, 5, 8, 8};
    List<List<double[]>> ranks =
        RankThreads.run(
            3,
            (Communicator communicator) -> {
              int rank = communicator.rank();
              try (PointerScope scope = new PointerScope();
                  Model model = Model.load(file)) {
                model.synchronizeBatchNorm(communicator);
                Tensor share = values(8, 4).narrow(0, from[rank], from[rank + 1] - from[rank]);
                return step(model, share, 1.0 / 8);
              }
            });
    List<double[]> sums = new ArrayList<>();
    for (int i = 0; i < joined.size(); i++) {
      double[] sum = new double[joined.get(i).length];
      for (List<double[]> rank : i < parameters ? ranks : ranks.subList(2, 3)) {
        for (int j = 0; j < sum.length; j++) {
          sum[j] += rank.get(i)[j];
        }
      }
      sums.add(sum);
    }
    assertEquals(parameters, joined.size() - 3 * (parameters == 10 ? 2 : 1));
    assertSame(joined, sums, 1e-12);
    assertTrue(Stream.of(joined.get(0)).anyMatch(gradient -> Math.abs(gradient[0]) > 1e-3));
  }

  @Test
  void aBatchNormWithinOtherCodeIsNotSynchronisedButRefused() {
    Path file = folder.resolve("within.pt");
    try (PointerScope scope = new PointerScope()) {
      JitModule module = module("__torch__.Users");
      module.register_module("norm", batchNorm(4, "self.training"));
      module.define(
          "def forward(self, x: Tensor) -> Tensor:\n    return x + self.norm.forward(x)\n");
      module.save(file.toString());
    }
    try (Model model = Model.load(file);
        Communicator alone = Communicator.single()) {
      assertTrue(model.hasBatchNorm());
      String message =
          assertThrows(ModelException.class, () -> model.synchronizeBatchNorm(alone)).getMessage();
      assertTrue(message.contains("torch.nn.Sequential"), message);
      assertTrue(message.contains("per_rank"), message);
    }
  }

  /** As torch.jit.trace writes it: the mode is a constant. */
  @Test
  void aBatchNormTracedInTrainingPredictsByItsRunningStatistics() {
    Path file = folder.resolve("traced.pt");
    try (PointerScope scope = new PointerScope()) {
      sequence(linear(4, 3), batchNorm(3, "True")).save(file.toString());
    }
    try (PointerScope scope = new PointerScope();
        Model model = Model.load(file)) {
      Tensor rows = values(6, 4);
      model.setTraining(false);
      double[] together = doubles(model.forward(rows));
      double[] alone = doubles(model.forward(rows.narrow(0, 0, 1)));
      assertEquals(together[0], alone[0], 1e-12);
      model.setTraining(true);
      assertFalse(Math.abs(together[0] - doubles(model.forward(rows))[0]) < 1e-3);
    }
  }

  @Test
  void batchStatisticsAreThoseOfOnePassWhereStagesAreComputedAgain() {
    List<List<Double>> runs = new ArrayList<>();
    for (List<String> again : List.of(List.<String>of(), List.of("all"))) {
      try (PointerScope scope = new PointerScope();
          Model model = Model.load(normed)) {
        model.recompute(again);
        for (int pass = 0; pass < 2; pass++) {
          backward(model.trainingPass(values(9, 4), stage -> stage), 1);
        }
        List<Double> numbers = new ArrayList<>();
        model.parameters().forEach(p -> addAll(numbers, p.tensor().grad()));
        model.buffers().forEach(b -> addAll(numbers, b.tensor()));
        runs.add(numbers);
      }
    }
    assertFalse(runs.get(0).isEmpty());
    assertEquals(runs.get(0), runs.get(1));
  }

  /**
   * As where parameters are gathered before a backward pass, and the rank that has some is gone.
   */
  @Test
  void aPassWhoseListenerFailsEndsWithThatFailure() {
    CommunicationException gone = new CommunicationException("Rank 1 is gone.", 1, null);
    PassListener listener =
        new PassListener() {
          @Override
          public List<Integer> cuts() {
            return List.of(1);
          }

          @Override
          public void backwardBegins(int group) {
            throw gone;
          }
        };
    try (PointerScope scope = new PointerScope();
        Model model = Model.load(normed)) {
      TrainingPass pass = model.trainingPass(values(9, 4), stage -> stage, listener);
      assertEquals(gone, assertThrows(RuntimeException.class, () -> backward(pass, 1)));
      Tensor gradient = torch.ones_like(pass.output());
      assertEquals(gone, assertThrows(RuntimeException.class, () -> pass.backwardFrom(gradient)));
    }
  }

  /** Without it, an implementation that keeps everything would have the same bits. */
  @Test
  void aStageThatIsComputedAgainRunsOnceMoreForItsGradient() {
    Path file = folder.resolve("counting.pt");
    try (PointerScope scope = new PointerScope()) {
      JitModule counting = module("__torch__.Counting");
      parameter(counting, "weight", 4);
      counting.register_attribute(
          "calls", new Type.TypePtr(IntType.getIntTypePtr().get()), new IValue(0L));
      counting.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              self.calls = self.calls + 1
              return x * self.weight * self.calls
          """);
      sequence(counting, linear(4, 1)).save(file.toString());
    }
    double once = gradientOfFirstWeight(file, List.of());
    assertTrue(once != 0);
    assertEquals(2 * once, gradientOfFirstWeight(file, List.of("all")), 1e-12);
    assertEquals(2 * once, gradientOfFirstWeight(file, List.of("part0")), 1e-12);
    assertEquals(once, gradientOfFirstWeight(file, List.of("part1")), 1e-12);
  }

  private static double gradientOfFirstWeight(Path file, List<String> again) {
    try (PointerScope scope = new PointerScope();
        Model model = Model.load(file)) {
      model.recompute(again);
      TrainingPass pass = model.trainingPass(values(9, 4), stage -> stage);
      pass.backward(pass.output().sum());
      return doubles(model.parameters().get(0).tensor().grad())[0];
    }
  }

  private static void addAll(List<Double> into, Tensor tensor) {
    Tensor flat = tensor.detach().to(ScalarType.Double).contiguous();
    double[] numbers = new double[(int) flat.numel()];
    new DoublePointer(flat.data_ptr()).get(numbers);
    for (double number : numbers) {
      into.add(number);
    }
  }
}

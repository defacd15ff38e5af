package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.torch.TorchLibraries;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolType;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Batch norms of clients whose data differ, each having a class of its own: shared, or each
 * client's (FedBN, Li et al. 2021). After one step on all its samples a client's running mean is a
 * tenth of theirs, and its running variance nine tenths and a tenth of theirs.
 */
@Timeout(240)
class BatchNormFederationTest {
  private static final String MEAN = "norm.running_mean";
  private static final String VARIANCE = "norm.running_var";
  private static final int[] ALL = {0, 1, 2};

  @TempDir Path folder;
  private FederationRuns runs;
  private String[] oneStep;

  @BeforeEach
  void writeDataAndModel() throws Exception {
    runs = new FederationRuns(folder);
    Path file = folder.resolve("norm.pt");
    save(file);
    oneStep =
        new String[] {
          "model={type: file, file: '" + file + "'}",
          "federation.clients=3",
          "federation.per_round=3",
          "federation.partition={type: column, column: class}",
          "federation.rounds=1",
          "federation.local_steps=1",
          "federation.batch_size=1000"
        };
  }

  private static void save(Path file) {
    TorchLibraries.load();
    try (PointerScope scope = new PointerScope()) {
      JitModule norm = module("Norm");
      norm.register_parameter("weight", trained(torch.ones(new long[] {2})), false);
      norm.register_parameter("bias", trained(torch.zeros(new long[] {2})), false);
      norm.register_buffer("running_mean", torch.zeros(new long[] {2}));
      norm.register_buffer("running_var", torch.ones(new long[] {2}));
      norm.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, 0.1, 1e-5, False)
          """);
      JitModule model = module("Model");
      model.register_module("norm", norm);
      model.register_parameter("w", trained(torch.zeros(new long[] {3, 2})), false);
      model.register_parameter("b", trained(torch.zeros(new long[] {3})), false);
      model.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.linear(self.norm.forward(x), self.w, self.b)
          """);
      model.save(file.toString());
    }
  }

  private static JitModule module(String name) {
    JitModule module = new JitModule(new QualifiedName("__torch__." + name));
    module.register_attribute("training", new Type.TypePtr(BoolType.get().get()), new IValue(true));
    return module;
  }

  private static Tensor trained(Tensor values) {
    return values.set_requires_grad(true);
  }

  /** By client: means of both features, normalised as clients see them, and variances ÷ (n − 1). */
  private double[][] momentsOfClients() {
    FederateConfig config = runs.config(oneStep);
    double[][] moments = new double[3][5];
    try (Dataset data = DataFiles.open(config.data());
        Communicator alone = Communicator.single()) {
      long[] samples = data.split(config.data()).train();
      Normalizer.Statistics scale = data.normalizers(samples, alone).features().statistics();
      double[] features = new double[2 * samples.length];
      double[] classes = new double[samples.length];
      data.read(samples, 0, samples.length, features, classes);
      for (int client = 0; client < 3; client++) {
        for (int f = 0; f < 2; f++) {
          int feature = f;
          int of = client;
          double[] values =
              IntStream.range(0, samples.length)
                  .filter(i -> classes[i] == of)
                  .mapToDouble(
                      i ->
                          (features[2 * i + feature] - scale.mean().get(feature))
                              / scale.standardDeviation().get(feature))
                  .toArray();
          double mean = Arrays.stream(values).average().orElseThrow();
          double squares = Arrays.stream(values).map(x -> (x - mean) * (x - mean)).sum();
          moments[client][f] = mean;
          moments[client][2 + f] = squares / (values.length - 1);
          moments[client][4] = values.length;
        }
      }
    }
    return moments;
  }

  private static double[] tensor(Path file, String name) {
    try (Model model = Model.load(file);
        PointerScope scope = new PointerScope()) {
      Tensor found =
          Stream.of(model.parameters(), model.buffers())
              .flatMap(List::stream)
              .filter(tensor -> tensor.name().equals(name))
              .map(ModelTensor::tensor)
              .findFirst()
              .orElseThrow();
      Tensor dense = found.detach().to(ScalarType.Double).contiguous();
      double[] values = new double[(int) dense.numel()];
      new DoublePointer(dense.data_ptr()).get(values);
      return values;
    }
  }

  @Test
  void sharedStatisticsAreTheMeanOfTheClientsByTheirSamples() throws Exception {
    runs.run(1, oneStep);
    double[][] moments = momentsOfClients();
    double[] mean = new double[2];
    double[] variance = new double[2];
    double all = Arrays.stream(moments).mapToDouble(m -> m[4]).sum();
    for (double[] client : moments) {
      for (int f = 0; f < 2; f++) {
        mean[f] += client[4] / all * 0.1 * client[f];
        variance[f] += client[4] / all * (0.9 + 0.1 * client[2 + f]);
      }
    }
    assertArrayEquals(mean, tensor(runs.model(), MEAN), 1e-6);
    assertArrayEquals(variance, tensor(runs.model(), VARIANCE), 1e-6);
  }

  @Test
  void ownBatchNormsStayWithTheirClientsAndAsTheyBeganAtTheServer() throws Exception {
    String[] own = Arrays.copyOf(oneStep, oneStep.length + 1);
    own[oneStep.length] = "federation.personal=[norm]";
    String simulated = runs.run(2, own).hash();
    double[][] moments = momentsOfClients();
    try (NetworkRuns network = new NetworkRuns(runs, folder, own)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL);
      assertEquals(simulated, network.end(server).hash());
    }
    Path server = folder.resolve("server.pt");
    assertArrayEquals(new double[] {0, 0}, tensor(server, MEAN));
    assertArrayEquals(new double[] {1, 1}, tensor(server, VARIANCE));
    assertArrayEquals(new double[] {1, 1}, tensor(server, "norm.weight"));
    assertArrayEquals(new double[] {0, 0}, tensor(server, "norm.bias"));
    assertNotEquals(0, tensor(server, "b")[0]);
    for (int client : ALL) {
      Path file = folder.resolve("client-" + client + ".pt");
      double[] mean = moments[client];
      assertArrayEquals(
          new double[] {0.1 * mean[0], 0.1 * mean[1]}, tensor(file, MEAN), 1e-6, file.toString());
      assertArrayEquals(
          new double[] {0.9 + 0.1 * mean[2], 0.9 + 0.1 * mean[3]}, tensor(file, VARIANCE), 1e-6);
      assertArrayEquals(tensor(server, "w"), tensor(file, "w"));
      assertArrayEquals(tensor(server, "b"), tensor(file, "b"));
    }
  }
}

package dev.lockstep.train;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.model.PhysicalModel;
import dev.lockstep.monitor.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Model files pass between here and PyTorch in Python; skipped where there is none. */
@Tag("same-on-every-jdk")
@Timeout(180)
class PyTorchTest {
  private static final String WRITE_MODELS =
      """
      import sys, torch
      from torch import nn
      torch.manual_seed(0)
      def net(): return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))
      torch.jit.script(net()).save(sys.argv[1])
      torch.jit.trace(net().double(), torch.zeros(3, 4).double()).save(sys.argv[2])
      """;

  private static final String PREDICT =
      """
      import sys, torch
      model = torch.jit.load(sys.argv[1])
      inputs = torch.tensor([float(x) for x in sys.argv[2].split(",")], dtype=torch.float64).view(-1, 4)
      print("\\n".join(repr(y) for y in model(inputs).flatten().tolist()))
      """;

  @TempDir Path folder;

  /** A Python that has torch. */
  private static String python() throws IOException, InterruptedException {
    List<String> tried = List.of("python3", "/usr/bin/python3");
    for (String python : tried) {
      try {
        Process process = start(List.of(python, "-c", "import torch"));
        if (process.waitFor(60, SECONDS) && process.exitValue() == 0) {
          return python;
        }
        process.destroyForcibly();
      } catch (IOException notThere) {
        continue;
      }
    }
    String reason = "Skipped: none of " + tried + " has PyTorch (Debian: python3-torch).";
    System.out.println(reason);
    return abort(reason);
  }

  private static Process start(List<String> command) throws IOException {
    Path errors = Files.createTempFile("python", ".txt");
    errors.toFile().deleteOnExit();
    return new ProcessBuilder(command).redirectError(errors.toFile()).start();
  }

  private static List<String> run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines = process.inputReader().lines().toList();
    assertTrue(process.waitFor(60, SECONDS), "Python did not end");
    assertEquals(0, process.exitValue(), lines.toString());
    return lines;
  }

  @ParameterizedTest
  @ValueSource(strings = {"data_parallel", "tensor_parallel"})
  void pythonPredictsFromAModelFileWhatWePredict(String strategy) throws Exception {
    String python = python();
    ArrayDataset data = ArrayDataset.smooth(302);
    ObjectNode section = JsonNodeFactory.instance.objectNode().put("type", strategy);
    Runs.Plan plan = Runs.Plan.of(2, Runs.ADAM).strategy(StrategyConfig.fromJson(section));
    Runs.train(2, plan, data, folder);
    Path file = new RunFolder(folder).model();
    double[] inputs = new double[20];
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = data.features()[i / 4][i % 4];
      texts.add(Double.toString(inputs[i]));
    }
    List<String> theirs = run(python, "-c", PREDICT, file.toString(), String.join(",", texts));
    try (PointerScope scope = new PointerScope();
        PhysicalModel model = PhysicalModel.load(file)) {
      Tensor rows =
          torch.from_blob(
              new DoublePointer(inputs), new long[] {5, 4}, new TensorOptions(ScalarType.Double));
      DoublePointer ours = new DoublePointer(model.predict(rows).contiguous().data_ptr());
      assertEquals(10, theirs.size());
      for (int i = 0; i < 10; i++) {
        double expected = ours.get(i);
        assertEquals(
            expected, Double.parseDouble(theirs.get(i)), 1e-6 * Math.abs(expected), "value " + i);
      }
    }
  }

  @Test
  void scriptedAndTracedModulesTrain() throws Exception {
    Path scripted = folder.resolve("scripted.pt");
    Path traced = folder.resolve("traced.pt");
    run(python(), "-c", WRITE_MODELS, scripted.toString(), traced.toString());
    // 240 samples in batches of 30: PyTorch refuses batch statistics over a single sample.
    ArrayDataset data = ArrayDataset.smooth(300);
    for (Path file : List.of(scripted, traced)) {
      Path into = folder.resolve(file.getFileName() + "-run");
      TrainingResult result =
          Runs.train(2, Runs.Plan.of(30, Runs.SGD).model(file), data, into).get(0);
      double r2 = result.summary().orElseThrow().scores().r2().get("y1");
      assertTrue(r2 > 0.7, file + ": " + r2);
      run(python(), "-c", PREDICT, new RunFolder(into).model().toString(), "1,2,3,4");
    }
  }
}

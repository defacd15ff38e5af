package dev.lockstep.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.cli.Main;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.learn.KMeans;
import dev.lockstep.learn.Table;
import dev.lockstep.localize.Localizer;
import dev.lockstep.localize.network.Network;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Collectives, clustering, trees and localisation on a class path that has neither libtorch nor
 * OpenBLAS, in a process of its own. Whoever needs only these is spared 500 MB and libtorch's
 * glibc.
 */
@Timeout(value = 200, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WithoutTorchTest {
  /** What a program that trains no network does. */
  static final class Program {
    public static void main(String[] arguments) {
      try (Communicator ranks = Communicator.fromEnvironment()) {
        System.out.println("sum " + ranks.allReduce(new double[] {3}, ReduceOp.SUM)[0]);
        double[] rows = {0, 1, 10, 11};
        try (Table table = Table.of(List.of("x"), rows)) {
          double[][] centers = KMeans.builder(ranks).clusters(2).build().fit(table).centers();
          System.out.println(
              "centers " + Arrays.stream(centers).mapToDouble(center -> center[0]).sum());
        }
        Network network =
            Network.builder(2)
                .anchor("A", 0, 0)
                .anchor("B", 1, 0)
                .anchor("C", 0, 1)
                .range("S", "A", Math.sqrt(0.5))
                .range("S", "B", Math.sqrt(0.5))
                .range("S", "C", Math.sqrt(0.5))
                .build();
        try (Localizer localizer = Localizer.builder(ranks).noiseFactor(0.01).build()) {
          double[] position = localizer.locate(network).positions();
          System.out.printf("sensor %.3f %.3f%n", position[0], position[1]);
        }
      }
    }
  }

  @Test
  void collectivesClusteringAndLocalisationRun() throws Exception {
    assertEquals(
        List.of("sum 3.0", "centers 11.0", "sensor 0.500 0.500"),
        run(Program.class)
            .lines()
            .filter(line -> line.matches("(sum|centers|sensor) .*"))
            .toList());
  }

  @Test
  void treesAreFittedAndPredict(@TempDir Path folder) throws Exception {
    Path data = folder.resolve("rows.csv");
    Files.writeString(data, "x,y\n0,0\n1,1\n10,10\n11,11\n");
    Path config = folder.resolve("fit.yaml");
    Files.writeString(
        config,
        """
        name: fitted
        data: {path: '%s', target: y}
        learner: {type: boosting, rounds: 2, min_data_in_leaf: 1}
        output: {folder: '%s', progress: none}
        """
            .formatted(data, folder));
    run(Main.class, "fit", config.toString());
    Path out = folder.resolve("out.csv");
    String model = folder.resolve("fitted/model.json").toString();
    run(Main.class, "predict", model, data.toString(), "-o", out.toString());
    assertEquals(5, Files.readAllLines(out).size());
  }

  private static String run(Class<?> program, String... arguments)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(
                entry -> !Path.of(entry).getFileName().toString().matches("(pytorch|openblas).*"))
            .collect(Collectors.joining(File.pathSeparator));
    assertTrue(classPath.length() < System.getProperty("java.class.path").length());
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                program.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output;
    try (var stream = process.getInputStream()) {
      output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output;
  }
}

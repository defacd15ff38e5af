package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The README's section on fitting does what it says. */
@Timeout(240)
class FitReadmeTest {
  private static final Path ROOT = Path.of(System.getProperty("lockstep.repository"));

  private static List<String> commands() throws Exception {
    String readme = Files.readString(ROOT.resolve("README.md"));
    int begin = readme.indexOf("## Clusters, forests and boosted trees");
    String section = readme.substring(begin, readme.indexOf("\n## ", begin + 1));
    assertTrue(section.strip().lines().count() <= 13, "ten lines and a heading");
    return section.lines().filter(line -> line.startsWith("    hpc/lockstep ")).toList();
  }

  /** {@code launch} is left to the harness: it starts the script, which needs an installation. */
  private static void run(Path folder, List<String> words) throws Exception {
    if (!words.get(0).equals("launch")) {
      assertEquals(ExitCode.OK, Main.execute(words.toArray(String[]::new)), words::toString);
      return;
    }
    int ranks = Integer.parseInt(words.get(2));
    String[] own = words.subList(words.indexOf("--") + 1, words.size()).toArray(String[]::new);
    try (RankProcesses processes =
        RankProcesses.start(folder, ranks, FitRanks.FitRank.class, own)) {
      processes.awaitSuccess(FitRanks.LIMIT);
    }
  }

  @Test
  void theSectionsCommandsFitAndPredict(@TempDir Path folder) throws Exception {
    Random random = new Random(1);
    List<String> rows = new ArrayList<>(List.of("area,rooms,price"));
    for (int i = 0; i < 300; i++) {
      int area = 30 + random.nextInt(170);
      int rooms = 1 + area / 40;
      rows.add(area + "," + rooms + "," + (3000 * area + 10000 * rooms));
    }
    Files.write(folder.resolve("mine.csv"), rows);
    Files.write(folder.resolve("new.csv"), List.of("rooms,area", "2,50", "4,150"));
    List<String> commands = commands();
    assertEquals(3, commands.size());
    for (String command : commands) {
      List<String> arguments = new ArrayList<>();
      for (String word : command.strip().split(" ")) {
        arguments.add(
            word.replace("mine.csv", folder.resolve("mine.csv").toString())
                .replace("new.csv", folder.resolve("new.csv").toString())
                .replace("prices.csv", folder.resolve("prices.csv").toString())
                .replace("runs/", folder + "/")
                .replaceFirst("^examples/", ROOT.resolve("examples") + "/"));
      }
      if (arguments.contains("fit")) {
        arguments.addAll(List.of("--set", "output.folder=" + folder));
      }
      run(folder, arguments.subList(1, arguments.size()));
    }
    assertTrue(Files.exists(folder.resolve("clusters/model.json")));
    List<String> predicted = Files.readAllLines(folder.resolve("prices.csv"));
    assertEquals(3, predicted.size());
    double first = Double.parseDouble(predicted.get(1).split(",")[1]);
    assertEquals(3000 * 50 + 10000 * 2, first, 20000);
  }
}

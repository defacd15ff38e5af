package dev.lockstep.data.field;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.ArrayWriter;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.Normalization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a network's outputs become files, and inputs of the next step. */
class ForecastTest {
  private static final int CELLS = 3;

  @TempDir Path folder;

  private Path levels() {
    return FieldFiles.months(6)
        .with("lev", new double[] {1000, 850, 500}, Map.of())
        .with("t", List.of("time", "lev", "lat"), i -> 100 * i[0] + 10 * i[1] + i[2])
        .write(folder.resolve("levels.nc"));
  }

  private static Forecast forecast(FieldRecipe recipe, Path file, int steps) {
    return Forecast.open(recipe, List.of(file.toString()), Format.AUTO, steps);
  }

  private static FieldRecipe recipe(Path file, String lead, String... more) {
    String[] yaml =
        Arrays.copyOf(
            new String[] {
              "path: " + file,
              "samples: [time]",
              "shape: [channel, lat]",
              "features: [t]",
              "targets: [{variable: t, lead: " + lead + "}]"
            },
            5 + more.length);
    System.arraycopy(more, 0, yaml, 5, more.length);
    try (FieldDataset data = FieldFiles.open(yaml)) {
      return data.fieldRecipe();
    }
  }

  /** Keeps what is written of t, in order. */
  private static final class Recorder implements ArrayWriter {
    private final double[] values;
    private long end;

    Recorder(int size) {
      values = new double[size];
    }

    @Override
    public void write(String variable, long from, double[] row, int at, int count) {
      if (variable.equals("t")) {
        assertTrue(from >= end, () -> from + " is before " + end);
        end = from + count;
        System.arraycopy(row, at, values, (int) from, count);
      }
    }

    @Override
    public void finish() {}

    @Override
    public void close() {}
  }

  /** Zarr stores are written chunk by chunk. */
  @Test
  void eachVariableIsWrittenFromItsBeginningToItsEnd() {
    Path file = levels();
    int channels = 3 * 2;
    try (Forecast forecast = forecast(recipe(file, "[3, 1]"), file, 1)) {
      Recorder written = new Recorder(6 * channels * CELLS);
      ForecastWriter writer = new ForecastVariables(forecast).to(written);
      double[] row = new double[channels * CELLS];
      Arrays.setAll(row, i -> i);
      writer.write(0, row, 0);
      writer.write(1, row, 0);
      // Channels come level by level with lead 3 first; the file has leads 1 and 3 of all levels.
      double[] expected = {
        3, 4, 5, 9, 10, 11, 15, 16, 17, 0, 1, 2, 6, 7, 8, 12, 13, 14,
      };
      assertArrayEquals(expected, Arrays.copyOf(written.values, expected.length));
    }
  }

  /** A mean and a standard deviation of each level. */
  private static FieldRecipe normal(FieldRecipe recipe) {
    List<FieldRecipe.Target> spreads =
        recipe.targets().stream()
            .map(
                t ->
                    new FieldRecipe.Target(
                        t.source(),
                        t.variable() + "_sd",
                        t.type(),
                        t.attributes(),
                        t.others(),
                        t.lead(),
                        Normalization.NONE))
            .toList();
    return recipe.withTargets(Stream.concat(recipe.targets().stream(), spreads.stream()).toList());
  }

  @Test
  void aTableHasAColumnForEachNumberThatTheModelGives() throws IOException {
    Path file = levels();
    FieldRecipe recipe = normal(recipe(file, "[1]"));
    Path table = folder.resolve("t.csv");
    try (Forecast forecast = forecast(recipe, file, 1);
        ForecastWriter writer = forecast.create(table, Map.of())) {
      double[] row = new double[6 * CELLS];
      Arrays.setAll(row, i -> i);
      writer.write(0, row, 0);
      writer.finish();
    }
    List<String> lines = Files.readAllLines(table);
    assertEquals("time,lead,lat,t[0],t[1],t[2],t_sd[0],t_sd[1],t_sd[2]", lines.get(0));
    assertTrue(lines.get(2).endsWith(",1,0.0,1.0,4.0,7.0,10.0,13.0,16.0"), lines.get(2));
  }

  @Test
  void severalStepsAreRefusedWhereAModelGivesSeveralNumbersOfATarget() {
    Path file = levels();
    try (Forecast forecast = forecast(normal(recipe(file, "[1]")), file, 2)) {
      IllegalArgumentException e = assertThrows(IllegalArgumentException.class, forecast::rollout);
      assertTrue(e.getMessage().contains("the model gives several of t[0]"), e::getMessage);
    }
  }

  /** Levels 850 and 500, the second and third of the file. */
  @Test
  void partOfTheLevelsIsPredictedFromItself() {
    Path file = levels();
    FieldRecipe recipe = recipe(file, "[1]", "isel: {lev: [1, 2]}");
    try (Forecast forecast = forecast(recipe, file, 2)) {
      Rollout rollout = forecast.rollout();
      rollout.begin(4);
      double[] input = new double[2 * CELLS];
      rollout.read(input, 0);
      assertArrayEquals(new double[] {410, 411, 412, 420, 421, 422}, input);
      double[] predicted = {1, 2, 3, 4, 5, 6};
      rollout.advance(predicted, 0);
      rollout.read(input, 0);
      assertArrayEquals(predicted, input);
    }
  }
}

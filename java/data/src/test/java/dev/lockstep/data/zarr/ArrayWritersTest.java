package dev.lockstep.data.zarr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.ArrayWriter;
import dev.lockstep.data.PythonReference;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfWriter;
import dev.lockstep.data.npy.NpzWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Arrays of random shapes and chunks, written in pieces and read by xarray and NumPy. */
@Timeout(120)
class ArrayWritersTest {
  private static final int STORES = 30;
  private static final int PIECE = 11;

  @TempDir Path folder;

  @Test
  void randomArraysAreWhatXarrayAndNumpyRead() throws Exception {
    Optional<PythonReference> python = PythonReference.with("xarray, zarr, netCDF4");
    assumeTrue(python.isPresent(), "no Python with xarray and zarr: see hpc/test.sh");
    Random random = new Random(20261127);
    long written = 0;
    for (int store = 0; store < STORES; store++) {
      List<Variable> variables = new ArrayList<>();
      for (int v = 0; v < 3; v++) {
        variables.add(variable(store, v, random));
      }
      written += variables.stream().mapToLong(Variable::size).sum();
      int chunk = 1 + random.nextInt(60);
      write(
          ZarrWriter.create(folder.resolve(store + ".zarr"), variables, Map.of(), chunk),
          variables);
      write(NpzWriter.create(folder.resolve(store + ".npz"), variables), variables);
      write(NetcdfWriter.create(folder.resolve(store + ".nc"), variables, Map.of()), variables);
    }
    String printed = python.get().run(folder, "check_arrays.py", 100, folder.toString());
    assertEquals("all " + 3 * written + " values are right", printed.strip());
  }

  private static Variable variable(int store, int number, Random random) {
    List<Dimension> dimensions = new ArrayList<>();
    int rank = 1 + random.nextInt(4);
    for (int d = 0; d < rank; d++) {
      dimensions.add(new Dimension("d" + store + "_" + number + "_" + d, 1 + random.nextInt(9)));
    }
    return new Variable(
        "v" + number,
        random.nextBoolean() ? "float" : "double",
        dimensions,
        Map.of("_FillValue", new double[] {Double.NaN}));
  }

  /** Each position's own half; every fourth piece is left out. */
  private static void write(ArrayWriter writer, List<Variable> variables) {
    try (writer) {
      for (Variable variable : variables) {
        for (long from = 0; from < variable.size(); from += PIECE) {
          if (from / PIECE % 4 == 3) {
            continue;
          }
          int count = (int) Math.min(PIECE, variable.size() - from);
          double[] values = new double[count + 2];
          for (int i = 0; i < count; i++) {
            values[i + 2] = (from + i) / 2.0;
          }
          writer.write(variable.name(), from, values, 2, count);
        }
      }
      writer.finish();
    }
  }
}

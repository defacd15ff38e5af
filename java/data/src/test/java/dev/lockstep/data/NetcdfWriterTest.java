package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetcdfWriterTest {
  private static final double FILL = 9.969209968386869e36;
  private static final double NAN = Double.NaN;
  private static final Dimension TIME = new Dimension("time", 2);
  private static final Dimension X = new Dimension("x", 3);

  @TempDir Path folder;

  private static List<Variable> variables() {
    return List.of(
        new Variable(
            "time",
            "double",
            List.of(TIME),
            Map.of("units", "days since 2001-02-28", "calendar", "noleap")),
        new Variable(
            "wind",
            "float",
            List.of(TIME, X),
            Map.of("units", "m/s", "long_name", "zonal wind", "_FillValue", new double[] {FILL})),
        new Variable("odd", "int", List.of(X), Map.of()));
  }

  private Path write() {
    Path file = folder.resolve("written.nc");
    try (NetcdfWriter writer =
        NetcdfWriter.create(file, variables(), Map.of("title", "\u00fcber", "level", 1.5 + ""))) {
      writer.write("wind", 4, new double[] {9, 0.1, NAN}, 1, 2);
      writer.write("wind", 0, new double[] {1, 2}, 0, 2);
      writer.write("time", 0, new double[] {0, 1}, 0, 2);
      writer.write("odd", 0, new double[] {-1, 0, 7}, 0, 3);
      assertThrows(
          IndexOutOfBoundsException.class, () -> writer.write("time", 1, new double[2], 0, 2));
      assertFalse(Files.exists(file));
      writer.finish();
    }
    return file;
  }

  @Test
  void whatIsWrittenInAnyOrderIsReadAndTheRestIsMissing() {
    try (ArrayFile file = DataFiles.openArrays(write(), Format.AUTO)) {
      assertArrayEquals(
          new double[] {1, 2, NAN, NAN, 0.1f, NAN}, Resources.values(file, "wind", 4));
      assertArrayEquals(new double[] {-1, 0, 7}, Resources.values(file, "odd", 3));
    }
  }

  @Test
  void xarrayReadsItAlike() throws Exception {
    Optional<PythonReference> python = PythonReference.with("xarray, netCDF4, cftime");
    assumeTrue(python.isPresent(), "no Python with xarray and netCDF4: see hpc/test.sh");
    String text = python.get().run(folder, "print_netcdf.py", 120, write().toString());
    assertEquals(
        List.of(
            "odd;x;;;-1.0 0.0 7.0",
            "time;time;days since 2001-02-28;;2001-02-28 2001-03-01",
            "wind;time,x;m/s;zonal wind;1.0 2.0 nan nan 0.10000000149011612 nan",
            "level = 1.5",
            "title = \u00fcber"),
        Arrays.asList(text.split("\n")));
  }

  @Test
  void nothingRemainsOfAFileThatIsNotFinished() throws Exception {
    NetcdfWriter.create(folder.resolve("never.nc"), variables(), Map.of()).close();
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(0, left.count());
    }
  }
}

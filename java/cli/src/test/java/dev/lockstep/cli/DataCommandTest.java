package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataCommandTest {
  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir Path folder;

  @BeforeEach
  void catchOutput() {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restoreOutput() {
    System.setOut(realOut);
    System.setErr(realErr);
  }

  private String describe(Path file, String... options) {
    out.reset();
    String[] arguments = new String[3 + options.length];
    arguments[0] = "data";
    arguments[1] = "describe";
    arguments[2] = file.toString();
    System.arraycopy(options, 0, arguments, 3, options.length);
    assertEquals(ExitCode.OK, Main.execute(arguments), err.toString(StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  /** A file that {@code data/FieldCasesTest} has, too. */
  private Path fieldCase(String name) throws IOException {
    try (InputStream text =
            DataCommandTest.class.getResourceAsStream("/dev/lockstep/data/cases.zip.base64");
        ZipInputStream zip =
            new ZipInputStream(
                new ByteArrayInputStream(Base64.getMimeDecoder().decode(text.readAllBytes())))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().equals(name)) {
          return Files.write(folder.resolve(name), zip.readAllBytes());
        }
      }
    }
    throw new IOException("no case " + name);
  }

  private static String squeezed(String text) {
    return text.replaceAll(" +", " ");
  }

  @Test
  void jsonHoldsEveryVariableWithAllItsDigitsAndWhatCannotBeUsed() throws IOException {
    Path file = folder.resolve("t.csv");
    Files.writeString(
        file,
        "time,temp,limit,name\n"
            + ",K,,\n"
            + "2001-01-01,0.1,1,x\n"
            + "2001-01-02,,inf,y\n"
            + "2001-01-03,1e300,3,z\n");
    JsonNode expected =
        new ObjectMapper()
            .readTree(
                """
                {"variables": [
                  {"name": "time", "type": "date", "dimensions": [{"name": "sample", "length": 3}],
                   "minimum": 11323.0, "maximum": 11325.0, "missing": 0,
                   "units": "days since 1970-01-01", "unreadable": null},
                  {"name": "temp", "type": "number", "dimensions": [{"name": "sample", "length": 3}],
                   "minimum": 0.1, "maximum": 1e300, "missing": 1, "units": "K",
                   "unreadable": null},
                  {"name": "limit", "type": "number", "dimensions": [{"name": "sample", "length": 3}],
                   "minimum": 1.0, "maximum": "Infinity", "missing": 0, "units": null,
                   "unreadable": null},
                  {"name": "name", "type": "text", "dimensions": [{"name": "sample", "length": 3}],
                   "minimum": null, "maximum": null, "missing": null, "units": null,
                   "unreadable":
                     "line 3, column name: \\"x\\" is not a number; leave missing fields empty"}]}
                """);
    assertEquals(
        normalized(expected), normalized(new ObjectMapper().readTree(describe(file, "--json"))));
  }

  /** Numbers are compared as such: Jackson tells 3 from 3.0. */
  private static String normalized(JsonNode json) {
    return json.toPrettyString().replaceAll("(\\d)\\.0\\b", "$1").toLowerCase(Locale.ROOT);
  }

  @Test
  void theTableShowsUnitsTimesAndTheirCalendar() throws IOException {
    String table = squeezed(describe(fieldCase("times.nc")));
    assertTrue(
        table.contains("\n time double time=3 0.500000 365.000 0 days since 2000-01-01\n"), table);
    assertTrue(
        table.contains("\n from 2000-01-01 12:00:00 to 2001-01-01 (calendar noleap)\n"), table);
    assertTrue(table.contains("\n t2m short time=3 0.00000 0.100000 1 K\n"), table);
  }

  @Test
  void theTableShowsWhatCannotBeUsedForWhatReason() throws IOException {
    String table = squeezed(describe(fieldCase("17-virtual.h5")));
    assertTrue(table.contains("\n cannot be used:\n v ("), table);
    assertTrue(
        table.contains("): is virtual: its values lie in other data sets, which are not read\n"),
        table);
  }

  @Test
  void aFormatIsTakenWhereTheNameSaysNothing() throws IOException {
    Path file = Files.writeString(folder.resolve("table.dat"), "a;b\n1,5;2\n");
    assertEquals(ExitCode.DATA, Main.execute("data", "describe", file.toString()));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("set format"));
    String table = squeezed(describe(file, "--format=csv"));
    assertTrue(table.contains(": CSV, semicolons, decimal commas\n"), table);
    assertTrue(table.contains("\n a number sample=1 1.50000 1.50000 0\n"), table);
  }

  @Test
  void namesWithControlCharactersStayOnTheirLine() throws IOException {
    Path file = Files.writeString(folder.resolve("n.csv"), "\"a\nb\",c\n1,x\n");
    String table = squeezed(describe(file));
    assertTrue(table.contains("\n a?b number sample=1 1.00000 1.00000 0\n"), table);
  }

  @Test
  void whatOtherProgramsWriteIsCalledByItsName() throws IOException {
    assertRefused("MATLAB 5.0 MAT-file, Platform: GLNXA64", "save it with -v7.3");
    assertRefused("PAR1....", "is Parquet");
    assertRefused("GRIB....", "is GRIB");
    assertRefused("BZh91AY&SY", "unpack it (bunzip2)");
    assertRefused("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull");
    assertRefused("<!DOCTYPE html>\n<html>404</html>\n", "is a web page");
    assertRefused("", "is empty: it has 0 bytes");
    assertRefused("nothing known", "set format");
  }

  @Test
  void namesDoNotMislead() throws IOException {
    Path page = Files.writeString(folder.resolve("page.csv"), "<!DOCTYPE html>\n<html>404</html>");
    assertEquals(ExitCode.DATA, Main.execute("data", "describe", page.toString()));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("is a web page"));
    Path unpacked = Files.writeString(folder.resolve("unpacked.csv.gz"), "a,b\n1,2\n");
    assertEquals(ExitCode.OK, Main.execute("data", "describe", unpacked.toString()));
  }

  /** The shell writes the name, which this JVM might not be able to. */
  private String describeInLocale(String locale) throws Exception {
    String script =
        "name=$(printf 't\\303\\251.csv'); printf 'a,b\\n1,2\\n' > \"$1/$name\"; exec \"$0\""
            + " -Xmx256m -cp \"$2\" dev.lockstep.cli.Main data describe \"$1/$name\"";
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(
                "bash",
                "-c",
                script,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                folder.toString(),
                System.getProperty("java.class.path"))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().put("LC_ALL", locale);
    Process process = builder.start();
    boolean ended = process.waitFor(120, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertTrue(ended, "still running after 120 s");
    return process.exitValue()
        + " "
        + new String(Files.readAllBytes(output), StandardCharsets.ISO_8859_1);
  }

  @Test
  void aNameBeyondAsciiIsReadOrTheLocaleIsNamed() throws Exception {
    String read = describeInLocale("C.UTF-8");
    assertTrue(read.startsWith("0 ") && read.contains("CSV"), read);
    String refused = describeInLocale("C");
    assertTrue(refused.startsWith(ExitCode.USAGE + " lockstep: "), refused);
    assertTrue(refused.lines().findFirst().orElseThrow().contains("set LC_ALL=C.UTF-8"), refused);
  }

  private void assertRefused(String start, String reason) throws IOException {
    Path file = Files.writeString(folder.resolve("other"), start);
    err.reset();
    assertEquals(ExitCode.DATA, Main.execute("data", "describe", file.toString()));
    String message = err.toString(StandardCharsets.UTF_8);
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.contains(reason), message);
  }
}

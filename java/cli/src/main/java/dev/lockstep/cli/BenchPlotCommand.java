package dev.lockstep.cli;

import dev.lockstep.bench.BenchCurves;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lockstep bench plot}: curves of results files. */
@Command(
    name = "plot",
    description = "Draw latency and bus bandwidth against size, from files of bench --json.")
final class BenchPlotCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "FILE", description = "Results of bench --json.")
  private List<Path> files;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "PNG",
      description = "The picture to write.")
  private Path output;

  @Override
  public Integer call() {
    byte[] picture = BenchCurves.read(files).draw();
    try {
      DurableFiles.replace(output, picture);
    } catch (IOException e) {
      throw new UncheckedIOException(output + " cannot be written: " + e.getMessage(), e);
    }
    System.out.println("wrote " + output);
    return ExitCode.OK;
  }
}

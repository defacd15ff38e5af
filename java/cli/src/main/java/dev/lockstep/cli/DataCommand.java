package dev.lockstep.cli;

import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.FileDescription;
import dev.lockstep.data.SyntheticConfig;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lockstep data}: looks into data files, and makes one up. */
@Command(name = "data", description = "Describe a data file, or create synthetic data.")
final class DataCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say what to do: describe or create");
  }

  @Command(
      name = "describe",
      description = {
        "Show the variables of a NetCDF, HDF5, CSV, NPY or NPZ file: what they hold, and which of"
            + " them cannot be used for what reason."
      })
  void describe(
      @Parameters(paramLabel = "FILE", description = "The data file.") Path file,
      @Option(
              names = "--format",
              paramLabel = "FORMAT",
              defaultValue = "auto",
              description = "auto, netcdf, hdf5, csv, npy or npz (default: ${DEFAULT-VALUE}).")
          DataConfig.Format format,
      @Option(names = "--json", description = "Print JSON with all digits.") boolean json) {
    FileDescription description = DataFiles.describe(file, format);
    if (json) {
      System.out.println(DescriptionText.json(description));
    } else {
      System.out.print(DescriptionText.table(description));
    }
  }

  @Command(
      name = "create",
      description = "Write synthetic regression data: features x0, x1, … and targets y0, y1, ….")
  void create(
      @Parameters(paramLabel = "FILE", description = "Ends in .csv, .npy or .nc.") Path file,
      @Option(names = "--samples", defaultValue = "10000", description = "${DEFAULT-VALUE}")
          long samples,
      @Option(names = "--features", defaultValue = "8", description = "${DEFAULT-VALUE}")
          int features,
      @Option(names = "--targets", defaultValue = "1", description = "${DEFAULT-VALUE}")
          int targets,
      @Option(
              names = "--noise",
              defaultValue = "0.1",
              description = "Standard deviation on every target (${DEFAULT-VALUE}).")
          double noise,
      @Option(names = "--seed", defaultValue = "0", description = "${DEFAULT-VALUE}") long seed) {
    try {
      DataFiles.create(new SyntheticConfig(samples, features, targets, noise, seed), file);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    System.out.println("wrote " + file);
  }
}

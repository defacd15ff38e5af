package dev.lockstep.cli;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.model.PhysicalModel;
import dev.lockstep.natives.NativeLibraries;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lockstep predict}: applies a model file to a data file. */
@Command(
    name = "predict",
    description = {
      "Apply a model of train (model.pt) or of fit (model.json) to a data file.",
      "",
      "Inputs and outputs are physical numbers: a model that lockstep trained carries its normaliser."
          + " The features are those of the run that the model lies in, unless told otherwise. The"
          + " first column written is the point's place in the file; points with missing values are"
          + " left out, but by models of fit, which know what to make of them."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep predict runs/heat-flux/model.pt new.nc --output predicted.csv",
      "  lockstep predict runs/clusters/model.json new.csv --output clusters.csv"
    })
final class PredictCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "MODEL", description = "The .pt or .json file.")
  private Path modelFile;

  @Parameters(index = "1", paramLabel = "DATA", description = "The data file.")
  private Path dataFile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "predictions.csv",
      description = "Ends in .csv, .npy or .nc (default: ${DEFAULT-VALUE}).")
  private Path output;

  @Option(
      names = "--config",
      paramLabel = "CONFIG",
      description = "The configuration with the features (default: config.yaml beside the model).")
  private @Nullable Path config;

  @Option(
      names = "--features",
      split = ",",
      paramLabel = "VARIABLE",
      description = "The model's inputs instead, as variables of the data file, in order.")
  private @Nullable List<String> features;

  @Override
  public Integer call() {
    if (modelFile.getFileName().toString().endsWith(".json")) {
      long written = new LearnedPrediction(modelFile, dataFile).write(output);
      System.out.printf("wrote %,d predictions to %s%n", written, output);
      return ExitCode.OK;
    }
    DataConfig data = data();
    try (Dataset dataset = DataFiles.open(data)) {
      NativeLibraries.load();
      try (PhysicalModel model = PhysicalModel.load(modelFile)) {
        long written = new Prediction(model, modelFile, dataset).write(output);
        System.out.printf(Locale.ROOT, "wrote %,d predictions to %s%n", written, output);
      }
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    return ExitCode.OK;
  }

  private DataConfig data() {
    if (features != null) {
      List<FeatureConfig> variables = features.stream().map(FeatureConfig::of).toList();
      return new DataConfig(
          dataFile.toString(), DataConfig.Format.AUTO, null, variables, List.of(), true, 0, 0);
    }
    Path file = config == null ? modelFile.resolveSibling("config.yaml") : config;
    if (config == null && !Files.exists(file)) {
      throw new ParameterException(
          spec.commandLine(),
          "there is no " + file + " that names the model's features; give --features or --config");
    }
    return ConfigLoader.load(RunConfig.class, file, List.of())
        .data()
        .forPrediction(dataFile.toString());
  }
}

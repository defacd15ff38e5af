package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.LaunchEnvironment;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.field.FieldRecipe;
import dev.lockstep.model.FieldPrediction;
import dev.lockstep.model.ModelDescription;
import dev.lockstep.model.Predictor;
import dev.lockstep.torch.TorchLibraries;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lockstep predict}: applies a model file to a data file. */
@Command(
    name = "predict",
    description = {
      "Apply a model of train (model.pt) or of fit (model.json) to data files.",
      "",
      "Inputs and outputs are physical numbers: a model that lockstep trained carries its normaliser."
          + " So it does the names of its features, by which they are found in the data"
          + " file, whatever their order there. The first column written is the point's place in the file; points with missing values are"
          + " left out, but by models of fit, which know what to make of them.",
      "",
      "A model for fields writes on the data's grid: CF NetCDF, Zarr, NumPy arrays or a table. It"
          + " refuses files on another grid, with another step of time or in other units.",
      "",
      "Ranks under launch share the samples of models of train. An output appears under its name when it is complete; of several"
          + " files, those whose output is there and newer are left as they are, so that the same"
          + " command goes on after an interruption."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep predict runs/heat-flux/model.pt new.nc --output predicted.csv",
      "  lockstep launch -n 2 -- predict runs/winds/model.pt new.nc --output forecast.nc",
      "  lockstep predict runs/winds/model.pt era5_*.nc --output 'forecasts/{name}.zarr' --steps 10",
      "  lockstep predict runs/clusters/model.json new.csv --output clusters.csv"
    })
final class PredictCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "MODEL", description = "The .pt or .json file.")
  private Path modelFile;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "DATA",
      description = "The data files, each of which is predicted by itself.")
  private List<Path> dataFiles;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "Ends in .csv, .npy or .nc; of a model for fields in .nc, .zarr, .npz or .csv (default:"
              + " predictions.csv, of fields predictions.nc). {name} in it is the data file's name"
              + " without its ending, as several files need.")
  private @Nullable Path output;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Of a model for fields: predict so many steps, each from what was predicted for the one"
              + " before (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--config",
      paramLabel = "CONFIG",
      description =
          "The configuration with the features, for a model that does not name them (default:"
              + " config.yaml beside it).")
  private @Nullable Path config;

  @Option(
      names = "--features",
      split = ",",
      paramLabel = "VARIABLE",
      description =
          "The model's inputs as variables of the data file, in the model's order; in any order if"
              + " they are the names that it knows.")
  private @Nullable List<String> features;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "The data file's format: ${COMPLETION-CANDIDATES} (default: by its first bytes and its"
              + " name; for a name that ends like that of the run's data, the run's).")
  private DataConfig.@Nullable Format format;

  @Mixin private GroupOptions group;

  @Override
  public Integer call() {
    boolean learned = modelFile.getFileName().toString().endsWith(".json");
    Optional<ModelDescription> known =
        learned ? Optional.empty() : ModelDescription.read(modelFile);
    Optional<FieldRecipe> fields = known.map(ModelDescription::fields);
    return fields.isPresent() ? fields() : points(learned);
  }

  private int fields() {
    if (features != null || config != null) {
      throw new ParameterException(
          spec.commandLine(),
          modelFile + " is for fields and knows its features; leave out --features and --config");
    }
    PredictedFiles files = files("predictions.nc");
    TorchLibraries.load();
    try (Communicator ranks = group.join();
        Predictor predictor = Predictor.load(modelFile)) {
      FieldPrediction prediction =
          new FieldPrediction(
              format == null ? DataConfig.Format.AUTO : format,
              steps,
              "lockstep " + Version.lockstep());
      files.forEach(
          ranks, (data, output) -> prediction.write(predictor, data, output, ranks), System.out);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    return ExitCode.OK;
  }

  private int points(boolean learned) {
    if (steps != 1) {
      throw new ParameterException(
          spec.commandLine(), "--steps is of models for fields, which " + modelFile + " is not");
    }
    PredictedFiles files = files("predictions.csv");
    if (learned) {
      if (LaunchEnvironment.current().rank() != 0) {
        return ExitCode.OK; // rank 0 predicts for all
      }
      try (Communicator alone = Communicator.single()) {
        files.forEach(
            alone,
            (data, output) -> new LearnedPrediction(modelFile, data).write(output),
            System.out);
      }
      return ExitCode.OK;
    }
    TorchLibraries.load();
    try (Communicator ranks = group.join();
        Predictor predictor = Predictor.load(modelFile)) {
      files.forEach(
          ranks,
          (data, output) -> {
            try (Dataset dataset = DataFiles.open(data(data, predictor.description()))) {
              return new Prediction(predictor, modelFile, dataset).write(output, ranks);
            }
          },
          System.out);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    return ExitCode.OK;
  }

  private PredictedFiles files(String standard) {
    try {
      return new PredictedFiles(modelFile, dataFiles, output == null ? Path.of(standard) : output);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private DataConfig data(Path dataFile, Optional<ModelDescription> description) {
    Optional<DataConfig> run = runData(description.isEmpty() && features == null);
    if (run.isPresent() && run.get().ofFields()) {
      throw new ParameterException(
          spec.commandLine(),
          modelFile
              + " was trained on fields (its configuration has data.samples), but does not carry"
              + " their recipe, because an older version wrote it; train it again.");
    }
    List<FeatureConfig> recipe;
    if (features != null) {
      recipe = named(features, description);
    } else if (config != null || description.isEmpty()) {
      recipe = run.orElseThrow().features();
    } else {
      recipe = description.get().recipe();
    }
    DataConfig.Format chosen =
        format != null
            ? format
            : run.filter(trained -> endsAlike(trained.path(), dataFile))
                .map(DataConfig::format)
                .orElse(DataConfig.Format.AUTO);
    return new DataConfig(dataFile.toString(), chosen, null, recipe, List.of(), true, 0, 0);
  }

  /** Names in whatever order, if they are those of the model; else the model's inputs in order. */
  private static List<FeatureConfig> named(
      List<String> names, Optional<ModelDescription> description) {
    List<FeatureConfig> recipe = description.map(ModelDescription::recipe).orElse(List.of());
    Set<String> known = recipe.stream().map(FeatureConfig::name).collect(Collectors.toSet());
    boolean same = known.equals(Set.copyOf(names)) && names.size() == known.size();
    return same ? recipe : names.stream().map(FeatureConfig::of).toList();
  }

  /** The data section of the run that the model comes from, or of {@code --config}. */
  private Optional<DataConfig> runData(boolean needed) {
    Path file = config == null ? modelFile.resolveSibling("config.yaml") : config;
    if (config == null && !Files.exists(file)) {
      if (needed) {
        throw new ParameterException(
            spec.commandLine(),
            modelFile
                + " does not name its features, and there is no "
                + file
                + "; give --features or --config");
      }
      return Optional.empty();
    }
    try {
      return Optional.of(ConfigLoader.load(RunConfig.class, file, List.of()).data());
    } catch (ConfigException e) {
      if (needed || config != null) {
        throw e;
      }
      return Optional.empty(); // of another version; the model says what is needed
    }
  }

  private static boolean endsAlike(List<String> trained, Path other) {
    return !trained.isEmpty() && ending(Path.of(trained.get(0))).equals(ending(other));
  }

  private static String ending(Path file) {
    String name = file.getFileName().toString();
    return name.substring(name.lastIndexOf('.') + 1);
  }
}

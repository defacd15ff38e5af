package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Data files and where their predictions go. Of an output with {@code {name}} those that are there
 * and newer than their data and the model are done already.
 */
final class PredictedFiles {
  private static final String NAME = "{name}";

  private final Path modelFile;
  private final boolean named;

  /** Data files by their outputs. */
  private final Map<Path, Path> files = new LinkedHashMap<>();

  /**
   * Names the outputs.
   *
   * @throws IllegalArgumentException if two files would have the same, or one would replace what it
   *     is predicted from
   */
  PredictedFiles(Path modelFile, List<Path> dataFiles, Path output) {
    this.modelFile = modelFile;
    named = output.toString().contains(NAME);
    if (!named && dataFiles.size() > 1) {
      throw new IllegalArgumentException(
          dataFiles.size()
              + " data files need an output each: give --output with {name}, as in"
              + " --output 'forecasts/{name}.nc'");
    }
    for (Path data : dataFiles) {
      Path own = Path.of(output.toString().replace(NAME, stem(data)));
      if (DurableFiles.isSame(own, data) || DurableFiles.isSame(own, modelFile)) {
        throw new IllegalArgumentException(
            "the predictions of " + data + " would replace " + own + "; give another --output");
      }
      Path other = files.put(own, data);
      if (other != null) {
        throw new IllegalArgumentException(
            "the predictions of " + other + " and " + data + " would both be " + own);
      }
    }
  }

  private static String stem(Path file) {
    String name = String.valueOf(file.toAbsolutePath().normalize().getFileName());
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  /** Predicts a file; returns the number of rows or samples. */
  interface Step {
    long write(Path data, Path output);
  }

  /** Predicts all files that are not done; collective. Rank 0 says what it wrote. */
  void forEach(Communicator ranks, Step step, PrintStream out) {
    for (Map.Entry<Path, Path> file : files.entrySet()) {
      Path output = file.getKey();
      Path data = file.getValue();
      // Rank 0 looks for all, so that none waits for a rank that sees the file.
      long own = ranks.rank() == 0 && named && isDone(data, output) ? 1 : 0;
      boolean done = ranks.allReduce(new long[] {own}, ReduceOp.SUM)[0] > 0;
      long written = 0;
      if (!done) {
        if (ranks.rank() == 0) {
          makeFolder(output);
        }
        written = step.write(data, output);
      }
      if (ranks.rank() == 0) {
        out.println(
            done
                ? output + " is there already and newer than its data; left as it is"
                : String.format(Locale.ROOT, "wrote %,d predictions to %s", written, output));
      }
    }
  }

  private boolean isDone(Path data, Path output) {
    try {
      if (!Files.exists(output)) {
        return false;
      }
      FileTime written = Files.getLastModifiedTime(output);
      return written.compareTo(Files.getLastModifiedTime(data)) > 0
          && written.compareTo(Files.getLastModifiedTime(modelFile)) > 0;
    } catch (IOException e) {
      return false; // What is in the way is told where the file is read or written.
    }
  }

  /** Of names that the user did not spell out. */
  private void makeFolder(Path output) {
    Path folder = output.toAbsolutePath().getParent();
    if (!named || folder == null) {
      return;
    }
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LockstepException(
          "The folder " + folder + " cannot be made: " + e.getMessage() + ".", e);
    }
  }
}

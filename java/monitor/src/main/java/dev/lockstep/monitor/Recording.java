package dev.lockstep.monitor;

import static java.util.Objects.requireNonNull;

import java.io.PrintStream;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How rank 0 records a run: the one way to make a {@link TrainingListener} that shows and writes
 * something.
 *
 * @param folder the run's folder
 * @param resume whether the run goes on in a folder that is there; otherwise a new folder is made,
 *     and what had its name is kept under {@code <name>.1}, {@code <name>.2} and so on, the latest
 *     with the highest number
 * @param configYaml the configuration as resolved, the text of {@code config.yaml}
 * @param output what to show and write
 * @param out where progress is printed, in practice {@code System.out}; not closed
 * @param terminal whether {@code out} is a terminal, see {@link Terminal#attached}
 * @param clock the time of TensorBoard's events
 */
public record Recording(
    RunFolder folder,
    boolean resume,
    String configYaml,
    OutputConfig output,
    PrintStream out,
    boolean terminal,
    InstantSource clock) {
  private static final Logger log = LoggerFactory.getLogger(Recording.class);

  public Recording {
    requireNonNull(folder, "folder");
    requireNonNull(configYaml, "configYaml");
    requireNonNull(output, "output");
    requireNonNull(out, "out");
    requireNonNull(clock, "clock");
  }

  /** A recording that prints to {@code System.out}, with a bar where that is a terminal. */
  public static Recording of(
      RunFolder folder, boolean resume, String configYaml, OutputConfig output) {
    return new Recording(
        folder,
        resume,
        configYaml,
        output,
        System.out,
        Terminal.attached(),
        InstantSource.system());
  }

  /**
   * Checks that the folder can be used. It is claimed, made and given its {@code config.yaml} when
   * training begins, so that a run that fails before displaces no earlier one; only a folder that
   * is resumed is claimed at once, because its checkpoint is about to be read.
   *
   * @return the recorder, to be closed by the caller
   * @throws RunFolderException if another process is at work in the folder, or it cannot be written
   */
  public TrainingListener open() {
    if (resume && Files.isDirectory(folder.path())) {
      return recorder(RunFolderClaim.resumed(folder));
    }
    if (resume) {
      log.warn("There is no run to resume in {}; this one begins anew.", folder.path());
    }
    RunFolderClaim.check(folder);
    return new RecorderOfStart(() -> recorder(fresh()));
  }

  private RunFolderClaim fresh() {
    RunFolderClaim claim = RunFolderClaim.fresh(folder);
    if (output.progress() != OutputConfig.Progress.NONE) {
      claim
          .kept()
          .ifPresent(
              kept -> out.println("The earlier run " + folder.path() + " is kept as " + kept));
    }
    return claim;
  }

  private TrainingListener recorder(RunFolderClaim claim) {
    try {
      AtomicFile.replace(folder.config(), configYaml);
    } catch (RunFolderException e) {
      claim.close();
      throw e;
    }
    List<TrainingListener> recorders = new ArrayList<>();
    recorders.add(new FolderRecorder(folder, claim, output.plots()));
    if (output.tensorboard()) {
      recorders.add(new TensorBoardRecorder(folder.path(), clock));
    }
    switch (output.progress()) {
      case BAR -> recorders.add(new ConsoleRecorder(folder, out, true));
      case PLAIN -> recorders.add(new ConsoleRecorder(folder, out, false));
      case AUTO -> recorders.add(new ConsoleRecorder(folder, out, terminal));
      case NONE -> {}
    }
    return TrainingListener.all(recorders);
  }
}

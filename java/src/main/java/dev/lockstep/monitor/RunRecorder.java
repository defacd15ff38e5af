package dev.lockstep.monitor;

import java.util.List;

/**
 * Hears what happens in a run, in order: {@link #started}, then for each epoch its {@link
 * #stepFinished} calls and one {@link #epochFinished}, then {@link #finished}, then {@link #close}.
 * A run that fails or is stopped is closed without {@code finished}.
 *
 * <p>The trainer calls it on rank 0, from one thread; other ranks hold {@link #none()}.
 * Implementations are not thread-safe. What they cannot write they report by {@link
 * RunFolderException}, whose message names the file and what to do.
 */
public interface RunRecorder extends AutoCloseable {
  /**
   * The run is about to take its first step.
   *
   * @param start what will run, and where
   */
  void started(RunStart start);

  /**
   * One optimiser step is done. Called often; costs next to nothing.
   *
   * @param epoch the epoch, counted from 1
   * @param step steps done in this epoch, counted from 1
   */
  void stepFinished(int epoch, int step);

  /**
   * An epoch and its validation are done.
   *
   * @param epoch the epoch's results, over all ranks
   */
  void epochFinished(EpochRecord epoch);

  /**
   * Training is over and the model file is written.
   *
   * @param summary the run's results, over all ranks
   * @param predictions the held-out samples' predictions by target; empty when there are none to
   *     plot, as for a classifier
   */
  void finished(RunSummary summary, List<TargetPredictions> predictions);

  /** Ends progress output and closes files. Idempotent. */
  @Override
  void close();

  /**
   * Returns the recorder of the ranks that neither print nor write.
   *
   * @return a recorder that ignores every call
   */
  static RunRecorder none() {
    return all(List.of());
  }

  /**
   * Joins recorders into one.
   *
   * @param recorders called in this order
   * @return a recorder that passes each call to all of them and owns them: closing it closes each
   */
  static RunRecorder all(List<RunRecorder> recorders) {
    return new RecorderGroup(recorders);
  }
}

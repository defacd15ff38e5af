package dev.lockstep.checkpoint;

import static java.util.Objects.requireNonNull;

import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of checkpoints, one sub-folder each, named by its step: {@code step-000000000120}.
 *
 * <p>A checkpoint is written to a temporary folder, synced to the disk, and renamed; under a final
 * name there is a whole checkpoint or none, whenever the process or the machine stops. Names that
 * begin with a dot are work in progress; the next {@link #save} clears what a killed process left
 * of it.
 *
 * <p>One process writes at a time (see {@code RunFolder}, whose lock keeps a second one out); any
 * number may read. Instances hold no state but their settings and may be shared between threads
 * that keep to this.
 */
public final class CheckpointStore {
  private static final Logger log = LoggerFactory.getLogger(CheckpointStore.class);

  private static final Pattern NAME = Pattern.compile("step-(\\d{12,18})");

  /** Being written; worthless until it is renamed. */
  private static final String TEMPORARY = ".tmp-";

  /** Whole, and about to be replaced by a new one of the same step; good if that never came. */
  private static final String REPLACED = ".replaced-";

  /** Being deleted. */
  private static final String DELETED = ".deleted-";

  private final Path folder;
  private final int keep;

  /**
   * Names a store; nothing is touched on the disk until {@link #save}.
   *
   * @param folder the folder of the checkpoints, made when the first is saved
   * @param keep how many of the newest stay, at least 1
   * @throws IllegalArgumentException if {@code keep} is below 1
   */
  public CheckpointStore(Path folder, int keep) {
    if (keep < 1) {
      throw new IllegalArgumentException(
          "A store must keep at least 1 checkpoint, not " + keep + ".");
    }
    this.folder = folder.toAbsolutePath();
    this.keep = keep;
  }

  /**
   * Writes a checkpoint, then deletes all but the newest {@code keep}.
   *
   * <p>A checkpoint of the same step is replaced. Later ones are deleted: the run has gone back
   * behind them, and a resume must not pick up the future that it left.
   *
   * @param checkpoint the state to write
   * @return the checkpoint's folder
   * @throws CheckpointException if it could not be written, for example on a full disk; earlier
   *     checkpoints are intact and nothing partial is left
   */
  public Path save(Checkpoint checkpoint) {
    try {
      prepare();
      CheckpointFolder.write(temporary(checkpoint.step()), checkpoint);
      return commit(checkpoint.step());
    } catch (IOException e) {
      throw failed(checkpoint.step(), e);
    }
  }

  /**
   * Makes the folder and settles what a process that died while saving left behind.
   *
   * @throws IOException if the folder cannot be written
   */
  void prepare() throws IOException {
    Files.createDirectories(folder);
    DurableFiles.syncFolder(requireNonNull(folder.toAbsolutePath().getParent()));
    clearLeftovers();
  }

  /** Where a checkpoint lies until it is whole. */
  Path temporary(long step) {
    return folder.resolve(TEMPORARY + name(step));
  }

  /** Gives a whole checkpoint its final name, then deletes all but the newest. */
  Path commit(long step) throws IOException {
    Path target = folder.resolve(name(step));
    replace(temporary(step), target);
    deleteOutdated(step);
    return target;
  }

  /** Discards what there is of a checkpoint that could not be written, and says why. */
  CheckpointException failed(long step, IOException cause) {
    discard(temporary(step));
    return new CheckpointException(
        String.format(
            Locale.ROOT,
            "The checkpoint %s could not be written: %s. Earlier checkpoints are intact; free disk"
                + " space or check the folder's permissions.",
            folder.resolve(name(step)),
            DurableFiles.reason(cause)),
        cause);
  }

  private static String name(long step) {
    return String.format(Locale.ROOT, "step-%012d", step);
  }

  /**
   * Finds the newest checkpoint that is whole and acceptable. Each that is passed over is also
   * logged, of several for one reason the newest.
   *
   * @param reasonToRefuse what the caller has against a checkpoint that is whole, for example that
   *     it is of another model, without a stop at its end; empty to accept it
   * @return the checkpoint, and those that were passed over
   * @throws CheckpointException if the store's folder is there but cannot be listed
   */
  public CheckpointSearch latest(Function<Checkpoint, Optional<String>> reasonToRefuse) {
    List<CheckpointSearch.Refusal> refused = new ArrayList<>();
    Set<String> objections = new HashSet<>();
    for (Path candidate : listed().descendingMap().values()) {
      String reason;
      boolean said = false;
      try {
        Checkpoint checkpoint = load(candidate);
        Optional<String> objection = reasonToRefuse.apply(checkpoint);
        if (objection.isEmpty()) {
          return new CheckpointSearch(Optional.of(checkpoint), refused);
        }
        reason =
            String.format(
                Locale.ROOT, "The checkpoint %s was refused: %s.", candidate, objection.get());
        said = !objections.add(objection.get());
      } catch (CheckpointException e) {
        reason = String.valueOf(e.getMessage());
      }
      if (!said) {
        log.warn("{}", reason);
      }
      refused.add(new CheckpointSearch.Refusal(candidate, reason));
    }
    return new CheckpointSearch(Optional.empty(), refused);
  }

  /**
   * Reads one checkpoint, after checking every byte against its manifest.
   *
   * @param checkpoint the checkpoint's folder, as {@link #save} returned it
   * @return the state as it was saved, its tensors in direct memory of their own
   * @throws CheckpointException if it is torn, corrupt or foreign, with the reason
   */
  public static Checkpoint load(Path checkpoint) {
    Checkpoint loaded = CheckpointFolder.read(checkpoint);
    Optional<Long> named = step(withoutPrefix(checkpoint.getFileName().toString(), REPLACED));
    if (named.isPresent() && named.get() != loaded.step()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "The checkpoint %s cannot be loaded: its manifest says step %d, so it was renamed. Give it back its name, or use another one.",
              checkpoint,
              loaded.step()));
    }
    return loaded;
  }

  private static void replace(Path temporary, Path target) throws IOException {
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      DurableFiles.rename(target, target.resolveSibling(REPLACED + target.getFileName()));
    }
    DurableFiles.rename(temporary, target);
  }

  /** Settles what a process that died in {@link #save} left behind. */
  private void clearLeftovers() throws IOException {
    for (Path path : children()) {
      String name = path.getFileName().toString();
      if (name.startsWith(TEMPORARY) || name.startsWith(DELETED)) {
        DurableFiles.deleteTree(path);
      } else if (name.startsWith(REPLACED)) {
        Path target = folder.resolve(withoutPrefix(name, REPLACED));
        if (Files.exists(target)) {
          DurableFiles.deleteTree(path);
        } else {
          DurableFiles.rename(path, target);
        }
      }
    }
  }

  private void deleteOutdated(long newest) {
    try {
      clearLeftovers();
      NavigableMap<Long, Path> all = listed();
      List<Path> outdated = new ArrayList<>(all.tailMap(newest, false).values());
      all.headMap(newest, true).descendingMap().values().stream().skip(keep).forEach(outdated::add);
      for (Path path : outdated) {
        Path deleted = path.resolveSibling(DELETED + path.getFileName());
        DurableFiles.rename(path, deleted);
        DurableFiles.deleteTree(deleted);
      }
    } catch (IOException | CheckpointException e) {
      log.warn(
          "Old checkpoints in {} could not be deleted: {}. Check the folder's permissions, or"
              + " delete them by hand.",
          folder,
          DurableFiles.reason(e));
    }
  }

  private void discard(Path temporary) {
    try {
      if (Files.exists(temporary, LinkOption.NOFOLLOW_LINKS)) {
        DurableFiles.deleteTree(temporary);
      }
    } catch (IOException e) {
      log.warn(
          "The unfinished checkpoint {} could not be deleted: {}.",
          temporary,
          DurableFiles.reason(e));
    }
  }

  /** Checkpoints under their final names, and those whose replacement never came, by step. */
  private NavigableMap<Long, Path> listed() {
    NavigableMap<Long, Path> byStep = new TreeMap<>();
    List<Path> children;
    try {
      children = children();
    } catch (IOException e) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "The checkpoints in %s cannot be listed: %s. Check the folder's permissions.",
              folder,
              DurableFiles.reason(e)),
          e);
    }
    for (Path path : children) {
      String name = path.getFileName().toString();
      if (name.startsWith(REPLACED)) {
        step(withoutPrefix(name, REPLACED)).ifPresent(step -> byStep.putIfAbsent(step, path));
      } else {
        step(name).ifPresent(step -> byStep.put(step, path));
      }
    }
    return byStep;
  }

  private List<Path> children() throws IOException {
    if (!Files.exists(folder)) {
      return List.of();
    }
    return DurableFiles.children(folder);
  }

  private static Optional<Long> step(String name) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches() ? Optional.of(Long.parseLong(matcher.group(1))) : Optional.empty();
  }

  private static String withoutPrefix(String name, String prefix) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }
}

package dev.lockstep.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Says what a file is that libtorch does not load as TorchScript, and how to get one that it does.
 */
final class LoadFailure {
  /** The version of PyTorch that the presets hold. */
  static final String LIBTORCH = "2.10";

  private static final String HOW = "write it with torch.jit.script(model).save(path)";

  private static final String TRACE =
      "script it with PyTorch "
          + LIBTORCH
          + " or older, or save torch.jit.trace(model.eval(), example) instead, which records only"
          + " the operators that run";

  private static final Pattern OPERATOR = Pattern.compile("\\b(aten|prim|quantized|\\w+)::\\w+");

  private LoadFailure() {}

  static ModelException of(Path file, RuntimeException torchError) {
    return new ModelException(
        file + describe(file, String.valueOf(torchError.getMessage()), torchError), torchError);
  }

  private static String describe(Path file, String message, RuntimeException torchError) {
    String reason = ModelException.reason(torchError);
    if (message.contains("maximum supported version")) {
      return " was written by a PyTorch that is newer than the "
          + LIBTORCH
          + " of Lockstep; "
          + TRACE
          + ".";
    }
    if (message.contains("Unknown builtin op")
        || message.contains("Arguments for call are not valid")
        || message.contains("Unknown type name")) {
      Matcher operator = OPERATOR.matcher(message);
      return " uses "
          + (operator.find() ? operator.group() : "an operator")
          + " in a way that PyTorch "
          + LIBTORCH
          + ", which Lockstep uses, does not know: it needs a newer version, or operators of an"
          + " extension; "
          + TRACE
          + ".";
    }
    List<String> entries = entries(file);
    if (entries.isEmpty()) {
      return " is not a TorchScript file, which is a whole zip archive ("
          + reason
          + "); "
          + HOW
          + ".";
    }
    if (entries.stream()
        .anyMatch(
            name ->
                name.endsWith("serialized_exported_program.json") || name.contains("/models/"))) {
      return " is a program of torch.export, not TorchScript; " + HOW + ".";
    }
    if (entries.stream().noneMatch(name -> name.endsWith("/constants.pkl"))) {
      return " was written by torch.save and holds weights or a pickled module, but no TorchScript code; "
          + HOW
          + ".";
    }
    return " is not a TorchScript file that libtorch "
        + LIBTORCH
        + " reads ("
        + reason
        + "); "
        + HOW
        + ".";
  }

  /** The names in a zip archive; none if it is no whole one. */
  private static List<String> entries(Path file) {
    if (!Files.isRegularFile(file)) {
      return List.of();
    }
    try (ZipFile archive = new ZipFile(file.toFile())) {
      return archive.stream().map(ZipEntry::getName).toList();
    } catch (IOException notAnArchive) {
      return List.of();
    }
  }
}

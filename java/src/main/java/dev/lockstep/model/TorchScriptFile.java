package dev.lockstep.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ExtraFilesMap;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Reads, writes and runs TorchScript modules. */
final class TorchScriptFile {
  private TorchScriptFile() {}

  /** Reads a module; the caller closes it. */
  static JitModule load(Path file) {
    if (!Files.isReadable(file)) {
      throw new ModelException("There is no readable model file " + file + "; check the path.");
    }
    try (PointerScope scope = new PointerScope()) {
      JitModule module = torch.load(file.toString());
      module.retainReference();
      return module;
    } catch (RuntimeException e) {
      throw new ModelException(
          file
              + " is not a TorchScript file that this libtorch reads ("
              + ModelException.reason(e)
              + "); write it with torch.jit.script(model).save(path).",
          e);
    }
  }

  /**
   * Writes a module under a temporary name, syncs it and renames it, so that no reader sees a part.
   */
  static void save(JitModule module, Path file, String extraName, String extraText) {
    Path folder = file.toAbsolutePath().getParent();
    Path temporary = folder.resolve(file.getFileName() + ".tmp");
    try (PointerScope scope = new PointerScope()) {
      Files.createDirectories(folder);
      ExtraFilesMap extra = new ExtraFilesMap();
      extra.put(new BytePointer(extraName), extraText);
      module.save(temporary.toString(), extra);
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The model could not be written to " + file + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      throw new ModelException(
          "The model could not be written to " + file + " (" + ModelException.reason(e) + ").", e);
    }
  }

  /** Runs a module on one tensor; the result belongs to the current scope. */
  static Tensor forward(JitModule module, Tensor inputs, String description) {
    IValue result;
    try {
      result = module.forward(new IValueVector(new IValue(inputs)));
    } catch (RuntimeException e) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " fails for inputs of shape "
              + java.util.Arrays.toString(new ModelTensor("inputs", inputs).shape())
              + " and type "
              + inputs.scalar_type()
              + ": "
              + ModelException.reason(e),
          e);
    }
    if (!result.isTensor()) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " gives no tensor; wrap it in a module that returns one.");
    }
    return result.toTensor();
  }
}

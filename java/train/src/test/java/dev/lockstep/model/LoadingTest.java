package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.torch.TorchLibraries;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.Properties;
import java.util.function.BinaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is loaded as a model, and what is said about files that are none. */
@Timeout(60)
class LoadingTest {
  @TempDir static Path folder;
  private static Path good;

  @BeforeAll
  static void saveAModel() {
    TorchLibraries.load();
    good = folder.resolve("good.pt");
    try (PointerScope scope = new PointerScope()) {
      JitModule module = Mlp.module("Users");
      module.register_parameter("w", torch.ones(2, 4).set_requires_grad(true), false);
      module.define(
          """
          def forward(self, x: Tensor) -> Tensor:
              return torch.tanh(torch.linear(x, self.w))
          """);
      module.save(good.toString());
    }
  }

  /** The good model's archive with other texts inside; Latin-1 keeps every byte. */
  private static Path edited(String name, BinaryOperator<String> edit) throws IOException {
    Path file = folder.resolve(name);
    try (ZipFile from = new ZipFile(good.toFile());
        ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(file))) {
      to.setLevel(0);
      for (Enumeration<? extends ZipEntry> i = from.entries(); i.hasMoreElements(); ) {
        ZipEntry entry = i.nextElement();
        String text =
            new String(from.getInputStream(entry).readAllBytes(), StandardCharsets.ISO_8859_1);
        to.putNextEntry(new ZipEntry(entry.getName()));
        to.write(edit.apply(entry.getName(), text).getBytes(StandardCharsets.ISO_8859_1));
      }
    }
    return file;
  }

  private static String refusal(Path file) {
    String message = assertThrows(ModelException.class, () -> Model.load(file)).getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.contains(file.toString()), message);
    return message;
  }

  private static void assertContains(String part, String message) {
    assertTrue(message.contains(part), message);
  }

  @Test
  void aModelSavedOnAGpuIsLoadedIntoTheMemoryOfTheCpu() throws IOException {
    // The pickle's names of devices: a four-byte length and the text.
    Path file = edited("gpu.pt", (name, text) -> text.replace("X\3\0\0\0cpu", "X\6\0\0\0cuda:0"));
    assertTrue(Files.size(file) > 0 && Files.mismatch(file, good) >= 0);
    try (Model model = Model.load(file)) {
      Tensor w = model.parameters().get(0).tensor();
      assertTrue(w.is_cpu());
      assertEquals(8, w.sum().item_double());
    }
  }

  @Test
  void anOperatorOfANewerPyTorchIsNamedTogetherWithTheVersionAndTracing() throws IOException {
    String unknown =
        refusal(edited("operator.pt", (name, text) -> text.replace("torch.tanh(", "torch.tanh9(")));
    assertContains("aten::tanh9", unknown);
    assertContains("PyTorch 2.10", unknown);
    assertContains("torch.jit.trace", unknown);

    String argument =
        refusal(
            edited("argument.pt", (name, text) -> text.replace("torch.tanh(", "torch.tanh(2, ")));
    assertContains("aten::tanh", argument);
    assertContains("torch.jit.trace", argument);

    String version =
        refusal(edited("version.pt", (name, text) -> name.endsWith("/version") ? "99\n" : text));
    assertContains("newer than the 2.10", version);
  }

  @Test
  void theVersionThatMessagesNameIsThatOfThePreset() throws IOException {
    Properties preset = new Properties();
    try (InputStream in =
        torch.class.getResourceAsStream("/META-INF/maven/org.bytedeco/pytorch/pom.properties")) {
      preset.load(in);
    }
    String version = preset.getProperty("version");
    assertTrue(version.startsWith(LoadFailure.LIBTORCH + "."), version);
  }

  @Test
  void filesThatAreNoTorchScriptAreCalledWhatTheyAre() throws IOException {
    Path text = Files.writeString(folder.resolve("text.pt"), "hello");
    assertContains("is not a TorchScript file, which is a whole zip archive", refusal(text));

    byte[] bytes = Files.readAllBytes(good);
    Path cut = folder.resolve("cut.pt");
    Files.write(cut, Arrays.copyOf(bytes, bytes.length / 2));
    assertContains("is not a TorchScript file, which is a whole zip archive", refusal(cut));

    assertContains("was written by torch.save", refusal(archive("weights.pt", "weights/data.pkl")));
    assertContains("torch.export", refusal(archive("program.pt2", "p/models/model.json")));
    assertContains("no readable model file", refusal(folder.resolve("absent.pt")));
  }

  private static Path archive(String name, String entry) throws IOException {
    Path file = folder.resolve(name);
    try (ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(file))) {
      to.putNextEntry(new ZipEntry(entry));
      to.write(1);
    }
    return file;
  }
}

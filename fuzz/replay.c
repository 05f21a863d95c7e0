/* fuzz/replay.c - feeds each file of a corpus folder to a fuzz target, so that the corpus (and every crash found in
 * the past) runs under the sanitizers in `make check` without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
        FILE *f = fopen(path, "rb");
        if (!f)
                return -1;
        uint8_t *buf = malloc(1 << 20);
        size_t n = buf ? fread(buf, 1, 1 << 20, f) : 0;
        (void)fclose(f);
        uint8_t *exact = malloc(n ? n : 1); /* exact size, so that ASan sees a read past the end */
        for (size_t i = 0; exact && i < n; i++)
                exact[i] = buf[i];
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
        free(buf);
        return 0;
}

int main(int argc, char **argv)
{
        int files = 0;
        DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
        if (!d) {
                (void)fprintf(stderr, "no corpus folder: %s\n", argc > 1 ? argv[1] : "(none given)");
                return 1;
        }
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
                char path[4096];
                if (e->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
                if (replay_file(path) == 0)
                        files++;
        }
        (void)closedir(d);
        (void)printf("%d corpus files replayed\n", files);
        return files > 0 ? 0 : 1;
}

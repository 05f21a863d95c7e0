/* main/telamon.c - the entry point: argv decides the role, nothing else happens here. */
int main(void)
{
        return 0;
}

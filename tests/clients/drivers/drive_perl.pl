# Debian libnet-akismet-perl: plain HTTP, the key in the host name; every field is sent, empty ones too.
use strict;
use warnings;
use Encode qw(encode_utf8);
use JSON::PP;
use Net::Akismet;

my %NAMES = (
    user_ip => 'USER_IP', user_agent => 'COMMENT_USER_AGENT', comment_content => 'COMMENT_CONTENT',
    comment_author => 'COMMENT_AUTHOR', comment_author_email => 'COMMENT_AUTHOR_EMAIL',
    comment_author_url => 'COMMENT_AUTHOR_URL', permalink => 'PERMALINK', comment_type => 'COMMENT_TYPE',
    referrer => 'REFERRER',
);

sub carry_out {
    my ($task) = @_;
    my %where = $ENV{SERVICE_HOST} ? (SERVICE_HOST => $ENV{SERVICE_HOST}) : ();
    my $client = Net::Akismet->new(KEY => $task->{key}, URL => $task->{blog}, %where);
    return $client ? 'valid' : 'invalid' if $task->{do} eq 'verify';
    die "the key was not accepted\n" unless $client;

    my %comment;
    for my $name (keys %{ $task->{comment} }) {
        my $theirs = $NAMES{$name} or die "cannot express $name\n";
        $comment{$theirs} = encode_utf8($task->{comment}{$name});
    }
    if ($task->{do} eq 'check') {
        my $verdict = $client->check(%comment) // die "undef: not judged\n";
        return $verdict eq 'true' ? 'spam' : 'ham';
    }
    my %submit = ('submit-spam' => 'spam', 'submit-ham' => 'ham');
    my $method = $submit{ $task->{do} } or die "no such task\n";
    $client->$method(%comment) or die "undef: not taken\n";
    return 'thanks';
}

$| = 1;
my $json = JSON::PP->new->utf8->canonical;
while (my $line = <STDIN>) {
    my $said = eval { carry_out($json->decode($line)) };
    my $answer = defined $said ? { said => $said } : { said => 'error', why => "$@" };
    print $json->encode($answer), "\n";
}

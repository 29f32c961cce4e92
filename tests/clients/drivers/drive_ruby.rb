# Debian ruby-akismet: the key travels in the host name, over TLS; the status must be exactly 200.
require 'akismet'
require 'json'

NAMES = {
  'comment_content' => :text, 'comment_author' => :author, 'comment_author_email' => :author_email,
  'comment_author_url' => :author_url, 'permalink' => :post_url, 'comment_type' => :type,
  'user_role' => :user_role, 'is_test' => :test, 'test_discard' => :test_discard, 'referrer' => :referrer
}.freeze

def carry_out(task)
  client = Akismet::Client.new(task['key'], task['blog'], app_name: 'driver', app_version: '1')
  return client.verify_key ? 'valid' : 'invalid' if task['do'] == 'verify'

  comment = task['comment']
  ip, agent = comment.values_at('user_ip', 'user_agent')
  rest = comment.except('user_ip', 'user_agent').transform_keys { |name| NAMES.fetch(name) }
  case task['do']
  when 'check'
    spam, blatant = client.check(ip, agent, rest)
    return blatant ? 'discard' : 'spam' if spam

    'ham'
  when 'submit-spam' then client.spam(ip, agent, rest) || 'thanks'
  when 'submit-ham' then client.ham(ip, agent, rest) || 'thanks'
  else raise ArgumentError, task['do']
  end
end

$stdout.sync = true
$stdin.each_line do |line|
  answer = begin
    { said: carry_out(JSON.parse(line)) }
  rescue StandardError => e
    { said: 'error', why: "#{e.class}: #{e.message}" }
  end
  puts JSON.generate(answer)
end

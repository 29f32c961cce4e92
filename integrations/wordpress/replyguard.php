<?php
/**
 * Plugin Name: Replyguard
 * Description: Lets the Akismet plugin ask your own Replyguard service instead of akismet.com, holds comments while the service cannot answer, and shows the score and the reasons in the comments list.
 * Version: 0.1.0
 * Requires at least: 5.8
 * Requires PHP: 7.4
 * License: MIT
 * Text Domain: replyguard
 *
 * One file, to be dropped into wp-content/mu-plugins; it works as an ordinary plugin too. It needs two
 * settings, the service URL and the key: constants REPLYGUARD_URL and REPLYGUARD_KEY in wp-config.php, or
 * Settings > Replyguard. A third constant, REPLYGUARD_PUBLIC_URL, names the address under which visitors
 * reach the privacy notice, where that is not the service URL.
 *
 * @package Replyguard
 */

defined( 'ABSPATH' ) || exit;

// The file may lie in mu-plugins and in plugins at once; the first copy wins.
if ( ! class_exists( 'Replyguard_Relay', false ) ) :

/**
 * Where the service is and which key opens it.
 */
final class Replyguard_Settings {

	const URL_OPTION     = 'replyguard_url';
	const KEY_OPTION     = 'replyguard_key';
	const FAILURE_OPTION = 'replyguard_failure';
	const VERDICT_META   = 'replyguard_verdict';

	/**
	 * The service URL as it was set, without a final slash; empty if there is none. It may be malformed.
	 *
	 * @return string
	 */
	public static function url() {
		return untrailingslashit( self::read( 'REPLYGUARD_URL', self::URL_OPTION ) );
	}

	/**
	 * The key as it was set; empty if there is none. It may be malformed.
	 *
	 * @return string
	 */
	public static function key() {
		return strtolower( self::read( 'REPLYGUARD_KEY', self::KEY_OPTION ) );
	}

	/**
	 * The address of the privacy notice, as visitors reach it.
	 *
	 * @return string
	 */
	public static function privacy_url() {
		$base = defined( 'REPLYGUARD_PUBLIC_URL' ) ? trim( (string) REPLYGUARD_PUBLIC_URL ) : '';
		if ( '' === $base ) {
			$base = self::url();
		}

		/**
		 * Filters the address that the line under the comment form links to.
		 *
		 * @param string $url Address of the service's privacy notice.
		 */
		return (string) apply_filters( 'replyguard_privacy_url', untrailingslashit( $base ) . '/privacy' );
	}

	/**
	 * Whether a constant in wp-config.php decides, so that the form must not.
	 *
	 * @param string $constant Name of the constant.
	 * @return bool
	 */
	public static function is_fixed( $constant ) {
		return defined( $constant ) && '' !== trim( (string) constant( $constant ) );
	}

	/**
	 * What is wrong with a service URL, or an empty string.
	 *
	 * @param string $url The URL.
	 * @return string
	 */
	public static function problem_with_url( $url ) {
		$parts  = wp_parse_url( $url );
		$scheme = isset( $parts['scheme'] ) ? strtolower( $parts['scheme'] ) : '';
		$host   = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';

		if ( preg_match( '/[\s<>"\\\\]/', $url ) ) {
			return __( 'The service URL holds a blank, a quote, a backslash or an angle bracket. Write it like https://replyguard.example.org', 'replyguard' );
		}
		if ( ! in_array( $scheme, array( 'http', 'https' ), true ) ) {
			return __( 'The service URL must begin with https:// or http://', 'replyguard' );
		}
		if ( '' === $host ) {
			return __( 'The service URL has no host name. Write it like https://replyguard.example.org', 'replyguard' );
		}
		if ( isset( $parts['user'] ) || isset( $parts['pass'] ) ) {
			return __( 'The service URL must not hold a user name or a password. The key alone opens the service.', 'replyguard' );
		}
		if ( isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			return __( 'The service URL must end before any “?” or “#”.', 'replyguard' );
		}
		if ( isset( $parts['path'] ) && preg_match( '#/1\.[12]\b#', $parts['path'] ) ) {
			return __( 'Leave “/1.1” and what follows out of the service URL: the plugin adds it.', 'replyguard' );
		}
		if ( preg_match( '/(^|\.)akismet\.com$/', $host ) ) {
			return __( 'The service URL must be your own Replyguard service, not akismet.com.', 'replyguard' );
		}
		return '';
	}

	/**
	 * What is wrong with a key, or an empty string.
	 *
	 * @param string $key The key.
	 * @return string
	 */
	public static function problem_with_key( $key ) {
		if ( preg_match( '/^[0-9a-f]{12}$/', $key ) ) {
			return '';
		}
		return __( 'The key must be 12 characters long, only 0-9 and a-f. The command “replyguard keys create” makes one.', 'replyguard' );
	}

	/**
	 * Asks WordPress to tidy up when an ordinary plugin is deleted; a must-use plugin is never activated.
	 */
	public static function on_activation() {
		register_uninstall_hook( __FILE__, array( __CLASS__, 'on_uninstall' ) );
	}

	/**
	 * Removes the settings, and what is kept with comments.
	 */
	public static function on_uninstall() {
		delete_option( self::URL_OPTION );
		delete_option( self::KEY_OPTION );
		delete_option( self::FAILURE_OPTION );
		delete_metadata( 'comment', 0, self::VERDICT_META, '', true );
	}

	/**
	 * A constant, or else an option, as trimmed text.
	 *
	 * @param string $constant Name of the constant.
	 * @param string $option   Name of the option.
	 * @return string
	 */
	private static function read( $constant, $option ) {
		$value = self::is_fixed( $constant ) ? constant( $constant ) : get_option( $option, '' );
		return is_scalar( $value ) ? trim( (string) $value ) : '';
	}
}

/**
 * Carries the Akismet plugin's requests to the service, and its answers back.
 *
 * It never turns a failure into a verdict, and never lets one publish a comment.
 */
final class Replyguard_Relay {

	/**
	 * The latest verdict with its explanation, until the comment is saved.
	 *
	 * @var array|null
	 */
	private static $verdict = null;

	/**
	 * Whether the latest check asks for the comment to wait: no verdict, or an unsure one.
	 *
	 * @var bool
	 */
	private static $must_wait = false;

	/**
	 * Who would be told about a comment that waits, before Akismet had its say.
	 *
	 * @var string[]
	 */
	private static $recipients = array();

	/**
	 * What a comment's history says when the service leaves it to a person.
	 */
	const UNSURE = 'Replyguard is unsure, a person decides';

	/**
	 * Hooks into WordPress's HTTP client and into the Akismet plugin's own settings.
	 */
	public static function init() {
		add_filter( 'pre_http_request', array( __CLASS__, 'relay' ), 10, 3 );
		add_filter( 'akismet_get_api_key', array( __CLASS__, 'api_key' ) );
		add_filter( 'akismet_predefined_api_key', array( __CLASS__, 'has_api_key' ) );
		// Akismet checks at priority 1, so what is remembered between 0 and 2 belongs to this comment.
		foreach ( array( 'preprocess_comment', 'rest_pre_insert_comment' ) as $filter ) {
			add_filter( $filter, array( __CLASS__, 'forget' ), 0 );
		}
		add_filter( 'preprocess_comment', array( __CLASS__, 'attach_verdict' ), 2 );
		add_filter( 'rest_pre_insert_comment', array( __CLASS__, 'attach_verdict_rest' ), 2 );
		add_action( 'wp_insert_comment', array( __CLASS__, 'settle_unsure' ), 20 );
		add_action( 'akismet_scheduled_recheck', array( __CLASS__, 'hasten_recheck' ) );
		// At priority 1000 older versions of Akismet strike out who would be told, taking "unsure" for an outage.
		add_filter( 'comment_moderation_recipients', array( __CLASS__, 'note_recipients' ), 999 );
		add_filter( 'comment_moderation_recipients', array( __CLASS__, 'restore_recipients' ), 1001, 2 );
	}

	/**
	 * Hands our key to the Akismet plugin. Its own option stays untouched, for the day you go back.
	 *
	 * @param mixed $key The key Akismet would use.
	 * @return mixed
	 */
	public static function api_key( $key ) {
		return self::has_api_key( false ) ? Replyguard_Settings::key() : $key;
	}

	/**
	 * Tells the Akismet plugin that the key is not its own to change.
	 *
	 * @param bool $predefined Whether somebody else said so.
	 * @return bool
	 */
	public static function has_api_key( $predefined ) {
		// Without a service URL the key would go to akismet.com.
		return $predefined || ( '' !== Replyguard_Settings::url() && '' !== Replyguard_Settings::key() );
	}

	/**
	 * Answers a request for rest.akismet.com from the service.
	 *
	 * @param false|array|WP_Error $preempt What another plugin answered already.
	 * @param array                $args    Arguments of the request.
	 * @param string               $url     Its URL.
	 * @return false|array|WP_Error
	 */
	public static function relay( $preempt, $args, $url ) {
		$service = Replyguard_Settings::url();
		if ( false !== $preempt || '' === $service ) {
			return $preempt;
		}
		$parts = wp_parse_url( $url );
		$label = self::host_label( $parts, $args );
		if ( null === $label ) {
			return $preempt;
		}
		$path = isset( $parts['path'] ) ? $parts['path'] : '/';

		// A malformed address must not send comments to akismet.com: the owner meant them to stay.
		$problem = Replyguard_Settings::problem_with_url( $service );
		if ( '' === $problem ) {
			$query    = isset( $parts['query'] ) ? '?' . $parts['query'] : '';
			$response = wp_remote_request( $service . $path . $query, self::arguments( $args, $label ) );
		} else {
			$response = new WP_Error( 'replyguard_url', $problem );
		}
		if ( '/1.1/comment-check' === $path ) {
			return self::judge_check( $response, $args );
		}
		self::judge_call( $response, $path );
		return $response;
	}

	/**
	 * First label of an Akismet host: "rest" or a key; null for any other host.
	 *
	 * @param array|false $parts Parsed URL.
	 * @param array       $args  Arguments of the request.
	 * @return string|null
	 */
	private static function host_label( $parts, $args ) {
		$hosts = array( isset( $parts['host'] ) ? $parts['host'] : '' );
		// Akismet's connection test asks single IP addresses and names the host in the header only.
		if ( isset( $args['headers'] ) && is_array( $args['headers'] ) ) {
			$headers = array_change_key_case( $args['headers'] );
			$hosts[] = isset( $headers['host'] ) && is_string( $headers['host'] ) ? $headers['host'] : '';
		}
		foreach ( $hosts as $host ) {
			if ( preg_match( '/^(?:([0-9a-z]+)\.)?rest\.akismet\.com(?::\d+)?$/i', $host, $match ) ) {
				return isset( $match[1] ) ? $match[1] : 'rest';
			}
		}
		return null;
	}

	/**
	 * The request's arguments, made fit for the service.
	 *
	 * @param array  $args  Arguments of the original request.
	 * @param string $label First label of the original host.
	 * @return array
	 */
	private static function arguments( $args, $label ) {
		// A name-based virtual host would not know "rest.akismet.com"; WordPress names the real one itself.
		if ( isset( $args['headers'] ) && is_array( $args['headers'] ) ) {
			foreach ( array_keys( $args['headers'] ) as $name ) {
				if ( 'host' === strtolower( $name ) ) {
					unset( $args['headers'][ $name ] );
				}
			}
		}
		// Other plugins put the key into the host name, which gets lost on the way.
		if ( 'rest' !== $label ) {
			if ( empty( $args['body'] ) ) {
				$args['body'] = array( 'api_key' => $label );
			} elseif ( is_array( $args['body'] ) ) {
				$args['body'] += array( 'api_key' => $label );
			} elseif ( ! preg_match( '/(^|&)api_key=/', $args['body'] ) ) {
				$args['body'] .= '&api_key=' . rawurlencode( $label );
			}
		}
		$args['redirection'] = 0; // A redirected POST arrives as a GET, without the comment.
		$args['sslverify']   = true;
		return $args;
	}

	/**
	 * Turns whatever came back from comment-check into a verdict or into a reason to hold the comment.
	 *
	 * @param array|WP_Error $response What the service answered.
	 * @param array          $args     Arguments of the original request.
	 * @return array
	 */
	private static function judge_check( $response, $args ) {
		self::$verdict   = null;
		self::$must_wait = true;
		if ( is_wp_error( $response ) ) {
			self::record_failure( 'unreachable', $response->get_error_message() );
			return self::hold( 'Replyguard was not reachable' );
		}
		$status = (int) wp_remote_retrieve_response_code( $response );
		$body   = wp_remote_retrieve_body( $response );
		if ( 200 !== $status ) {
			self::record_failure( 'status', trim( $status . ' ' . self::header( $response, 'x-akismet-error' ) ) );
			return self::hold( 'Replyguard answered HTTP ' . $status );
		}
		if ( 'invalid' === $body ) {
			self::record_failure( 'key', self::header( $response, 'x-akismet-debug-help' ) );
			return self::hold( 'Replyguard refused the key' );
		}
		$is_unsure = 'hold' === $body && 'unsure' === self::header( $response, 'x-replyguard-verdict' );
		if ( 'true' !== $body && 'false' !== $body && ! $is_unsure ) {
			self::record_failure( 'answer', '' );
			return self::hold( 'Replyguard gave no verdict' );
		}
		delete_option( Replyguard_Settings::FAILURE_OPTION );
		if ( $is_unsure ) {
			// Without the service's X-akismet-error, which would hold the moderators' own replies as well.
			$headers  = $response['headers'];
			$response = self::hold( self::UNSURE );
			foreach ( array( 'x-replyguard-score', 'x-replyguard-verdict', 'x-replyguard-reasons', 'x-replyguard-model' ) as $name ) {
				$response['headers'][ $name ] = isset( $headers[ $name ] ) ? $headers[ $name ] : '';
			}
		} else {
			self::$must_wait = false;
			// From 5.3.7 Akismet ignores a verdict without a GUID. A proxy may have dropped it, or added one.
			$guid = self::header( $response, 'x-akismet-guid' );

			$response['headers']['x-akismet-guid'] = '' === $guid ? wp_generate_uuid4() : $guid;
		}
		self::remember( $response, $args );
		return $response;
	}

	/**
	 * Notes whether any other call went through. Its answer goes back as it came.
	 *
	 * @param array|WP_Error $response What the service answered.
	 * @param string         $path     Path of the call.
	 */
	private static function judge_call( $response, $path ) {
		if ( is_wp_error( $response ) ) {
			self::record_failure( 'unreachable', $response->get_error_message() );
			return;
		}
		$status = (int) wp_remote_retrieve_response_code( $response );
		if ( 200 !== $status ) {
			self::record_failure( 'status', $status );
		} elseif ( '/1.1/verify-key' === $path && 'valid' === wp_remote_retrieve_body( $response ) ) {
			delete_option( Replyguard_Settings::FAILURE_OPTION );
		}
	}

	/**
	 * A header as plain text; the first one if there are several of that name.
	 *
	 * @param array  $response What the service answered.
	 * @param string $name     Name of the header, in lower case.
	 * @return string
	 */
	public static function header( $response, $name ) {
		$value = wp_remote_retrieve_header( $response, $name );
		$value = is_array( $value ) ? reset( $value ) : $value;
		// Not sanitize_text_field(), which takes "<" and "%41" out of a clue. What is printed is escaped.
		return trim( preg_replace( '/[^\x20-\x7E]/', '', (string) $value ) );
	}

	/**
	 * An answer that makes every version of the Akismet plugin hold the comment and ask again later.
	 *
	 * The text is neither "true" nor "false" and appears in the comment's history. The GUID is what makes
	 * versions from 5.3.7 on apply the answer to this comment; without it they would publish.
	 *
	 * @param string $text At most 50 characters.
	 * @return array
	 */
	private static function hold( $text ) {
		return array(
			'headers'  => array( 'x-akismet-guid' => wp_generate_uuid4() ),
			'body'     => $text,
			'response' => array(
				'code'    => 503,
				'message' => 'Service Unavailable',
			),
			'cookies'  => array(),
			'filename' => null,
		);
	}

	/**
	 * Keeps the latest failure for the notice in wp-admin. No part of a comment goes in.
	 *
	 * @param string     $kind   One of unreachable, status, key, answer.
	 * @param string|int $detail The transport's message, or the HTTP status.
	 */
	private static function record_failure( $kind, $detail ) {
		$failure = array(
			'time'   => time(),
			'kind'   => $kind,
			'detail' => substr( sanitize_text_field( (string) $detail ), 0, 300 ),
		);
		update_option( Replyguard_Settings::FAILURE_OPTION, $failure, false );
	}

	/**
	 * Reads score, verdict and reasons, and stores them at once if the comment is known.
	 *
	 * @param array $response What the service answered.
	 * @param array $args     Arguments of the original request.
	 */
	private static function remember( $response, $args ) {
		$score   = self::header( $response, 'x-replyguard-score' );
		$verdict = self::header( $response, 'x-replyguard-verdict' );
		if ( ! is_numeric( $score ) || ! in_array( $verdict, array( 'ham', 'unsure', 'spam' ), true ) ) {
			return; // Not every answer is scored: a guaranteed value, say.
		}
		self::$verdict = array(
			'score'   => min( 1.0, max( 0.0, (float) $score ) ),
			'verdict' => $verdict,
			'reasons' => substr( self::header( $response, 'x-replyguard-reasons' ), 0, 500 ),
			'model'   => substr( self::header( $response, 'x-replyguard-model' ), 0, 100 ),
			'waits'   => self::$must_wait,
			'guid'    => self::header( $response, 'x-akismet-guid' ),
		);

		// A recheck sends the table's row, so it says which comment it is about. Visitors cannot: what they
		// send arrives as POST_comment_ID.
		$body = isset( $args['body'] ) && is_string( $args['body'] ) ? $args['body'] : '';
		if ( preg_match( '/(?:^|&)recheck_reason=/', $body ) && preg_match( '/(?:^|&)comment_ID=(\d+)(?:&|$)/', $body, $match ) ) {
			update_comment_meta( (int) $match[1], Replyguard_Settings::VERDICT_META, wp_slash( self::$verdict ) );
			if ( 'unsure' === $verdict && self::$must_wait ) {
				delete_comment_meta( (int) $match[1], 'akismet_error' );
			}
			self::$verdict = null;
		}
	}

	/**
	 * Starts a new comment.
	 *
	 * @param array|WP_Error $commentdata The comment.
	 * @return array|WP_Error
	 */
	public static function forget( $commentdata ) {
		self::$verdict   = null;
		self::$must_wait = false;
		return $commentdata;
	}

	/**
	 * Adds the verdict to a comment from the form.
	 *
	 * @param array $commentdata The comment, with slashes.
	 * @return array
	 */
	public static function attach_verdict( $commentdata ) {
		if ( is_array( $commentdata ) && self::verdict_belongs_to( $commentdata ) ) {
			$commentdata['comment_meta'][ Replyguard_Settings::VERDICT_META ] = wp_slash( self::$verdict );
		}
		self::$verdict = null;
		return $commentdata;
	}

	/**
	 * Adds the verdict to a comment from the REST interface, or holds the comment if there is none.
	 *
	 * WordPress has asked about approval before Akismet gets to see a REST comment, so an outage would
	 * publish it.
	 *
	 * @param array|WP_Error $commentdata The comment, without slashes.
	 * @return array|WP_Error
	 */
	public static function attach_verdict_rest( $commentdata ) {
		if ( is_array( $commentdata ) ) {
			if ( self::verdict_belongs_to( $commentdata ) ) {
				$commentdata['comment_meta'][ Replyguard_Settings::VERDICT_META ] = self::$verdict;
			}
			$approved = isset( $commentdata['comment_approved'] ) ? (string) $commentdata['comment_approved'] : '1';
			if ( self::$must_wait && '1' === $approved && ! current_user_can( 'moderate_comments' ) ) {
				$commentdata['comment_approved'] = 0;
			}
		}
		self::$verdict = null;
		return $commentdata;
	}

	/**
	 * Takes an unsure comment off Akismet's list of those to ask about again: the next answer would be the
	 * same, and the first comment on the list that has none keeps all others waiting.
	 *
	 * @param int $comment_id The comment.
	 */
	public static function settle_unsure( $comment_id ) {
		if ( self::waits_for_a_person( $comment_id ) ) {
			delete_comment_meta( $comment_id, 'akismet_error' );
			delete_comment_meta( $comment_id, 'akismet_delay_moderation_email' );
		}
	}

	/**
	 * Lets Akismet's list go on after an unsure comment at once, instead of 20 minutes later.
	 *
	 * @param string $reason Why Akismet put the next run off.
	 */
	public static function hasten_recheck( $reason ) {
		if ( 'check-db-comment-' . self::UNSURE === $reason ) {
			wp_clear_scheduled_hook( 'akismet_schedule_cron_recheck' );
			wp_schedule_single_event( time(), 'akismet_schedule_cron_recheck' );
		}
	}

	/**
	 * Remembers who is to be told about a comment that waits.
	 *
	 * @param string[] $recipients E-mail addresses.
	 * @return string[]
	 */
	public static function note_recipients( $recipients ) {
		self::$recipients = $recipients;
		return $recipients;
	}

	/**
	 * Tells the moderators about an unsure comment as about any other that waits.
	 *
	 * @param string[] $recipients E-mail addresses.
	 * @param int      $comment_id The comment.
	 * @return string[]
	 */
	public static function restore_recipients( $recipients, $comment_id ) {
		return self::waits_for_a_person( $comment_id ) ? self::$recipients : $recipients;
	}

	/**
	 * Whether the service was unsure about a comment and asked for it to be held.
	 *
	 * @param int $comment_id The comment.
	 * @return bool
	 */
	private static function waits_for_a_person( $comment_id ) {
		$verdict = get_comment_meta( (int) $comment_id, Replyguard_Settings::VERDICT_META, true );
		return is_array( $verdict ) && ! empty( $verdict['waits'] );
	}

	/**
	 * Whether the remembered verdict is this comment's. Akismet before 5.3.1 does not tell the GUID.
	 *
	 * @param array $commentdata The comment.
	 * @return bool
	 */
	private static function verdict_belongs_to( $commentdata ) {
		if ( null === self::$verdict ) {
			return false;
		}
		return ! isset( $commentdata['akismet_guid'] ) || $commentdata['akismet_guid'] === self::$verdict['guid'];
	}
}

/**
 * The line under the comment form, and the text for the site's privacy policy.
 */
final class Replyguard_Privacy {

	/**
	 * Hooks into the Akismet plugin's own notice.
	 */
	public static function init() {
		add_filter( 'akismet_comment_form_privacy_notice_markup', array( __CLASS__, 'markup' ) );
		add_action( 'admin_init', array( __CLASS__, 'suggest_policy' ) );
		add_filter( 'akismet_enable_mshots', array( __CLASS__, 'no_previews' ) );
	}

	/**
	 * Our line in the place of Akismet's, whose link would be untrue. Akismet's setting decides whether
	 * there is a line at all.
	 *
	 * @param string $markup Akismet's line.
	 * @return string
	 */
	public static function markup( $markup ) {
		if ( '' === Replyguard_Settings::url() ) {
			return $markup;
		}
		return sprintf(
			'<p class="akismet_comment_form_privacy_notice replyguard-privacy">%1$s <a href="%2$s" target="_blank" rel="nofollow noopener">%3$s</a></p>',
			esc_html__( 'This site uses Replyguard to reduce spam.', 'replyguard' ),
			esc_url( Replyguard_Settings::privacy_url(), array( 'http', 'https' ) ),
			esc_html__( 'Learn how your comment data is processed.', 'replyguard' )
		);
	}

	/**
	 * Offers a paragraph under Settings > Privacy > Policy guide.
	 */
	public static function suggest_policy() {
		if ( '' === Replyguard_Settings::url() || ! function_exists( 'wp_add_privacy_policy_content' ) ) {
			return;
		}
		$text = sprintf(
			/* translators: %s: address of the privacy notice */
			__( 'Comments are checked for spam by Replyguard, a service that we run ourselves. It receives the comment, the name, e-mail address, web address and IP address given with it, and what the browser says of itself. What is kept, for how long and how to object is described here: %s', 'replyguard' ),
			Replyguard_Settings::privacy_url()
		);
		wp_add_privacy_policy_content( 'Replyguard', '<p>' . esc_html( $text ) . '</p>' );
	}

	/**
	 * Stops Akismet from having pictures of commenters' sites made at WordPress.com.
	 *
	 * @param bool $enabled Akismet's choice.
	 * @return bool
	 */
	public static function no_previews( $enabled ) {
		return '' === Replyguard_Settings::url() ? $enabled : false;
	}
}

/**
 * Our part of Tools > Export Personal Data and Tools > Erase Personal Data.
 *
 * The service knows people by a keyed hash of their e-mail address, and WordPress asks by just that address.
 */
final class Replyguard_Rights {

	/**
	 * Rows, or comments, that one page of WordPress's paging handles.
	 */
	const PAGE_SIZE = 100;

	/**
	 * Seconds that the service may take; an erasure also empties its log files.
	 */
	const TIMEOUT_S = 60;

	/**
	 * Registers with WordPress's own tools.
	 */
	public static function init() {
		// Before WordPress's own at 10: once that has made comments nobody's, ours are found by no address.
		add_filter( 'wp_privacy_personal_data_exporters', array( __CLASS__, 'add_exporter' ), 5 );
		add_filter( 'wp_privacy_personal_data_erasers', array( __CLASS__, 'add_eraser' ), 5 );
	}

	/**
	 * Adds our exporter to the list.
	 *
	 * @param array $exporters Exporters so far.
	 * @return array
	 */
	public static function add_exporter( $exporters ) {
		if ( '' !== Replyguard_Settings::url() ) {
			$exporters['replyguard'] = array(
				'exporter_friendly_name' => __( 'Replyguard', 'replyguard' ),
				'callback'               => array( __CLASS__, 'export' ),
			);
		}
		return $exporters;
	}

	/**
	 * Adds our eraser to the list.
	 *
	 * @param array $erasers Erasers so far.
	 * @return array
	 */
	public static function add_eraser( $erasers ) {
		if ( '' !== Replyguard_Settings::url() ) {
			$erasers['replyguard'] = array(
				'eraser_friendly_name' => __( 'Replyguard', 'replyguard' ),
				'callback'             => array( __CLASS__, 'erase' ),
			);
		}
		return $erasers;
	}

	/**
	 * One page of what the service keeps of a person.
	 *
	 * @param string $email The person's e-mail address.
	 * @param int    $page  From 1.
	 * @return array|WP_Error An export without our part would be taken for a whole one, so a failure is an error.
	 */
	public static function export( $email, $page = 1 ) {
		$told = self::ask( 'export', $email );
		if ( is_wp_error( $told ) ) {
			return $told;
		}
		if ( ! isset( $told['tables'] ) || ! is_array( $told['tables'] ) ) {
			return self::misunderstood();
		}
		$items = array();
		foreach ( $told['tables'] as $name => $table ) {
			foreach ( $table['rows'] as $number => $row ) {
				$items[] = array(
					'group_id'          => 'replyguard-' . sanitize_key( $name ),
					/* translators: %s: kind of record, such as checks or feedback */
					'group_label'       => sprintf( __( 'Replyguard, spam filter: %s', 'replyguard' ), $name ),
					'group_description' => __( 'What the spam filter keeps of your comments. E-mail and IP addresses are kept as keyed hashes only.', 'replyguard' ),
					'item_id'           => 'replyguard-' . sanitize_key( $name ) . '-' . ( isset( $row['guid'] ) ? sanitize_key( $row['guid'] ) : $number ),
					'data'              => self::described( $row, isset( $table['meaning'] ) ? $table['meaning'] : array() ),
				);
			}
		}
		$first = ( max( 1, (int) $page ) - 1 ) * self::PAGE_SIZE;
		return array(
			'data' => array_slice( $items, $first, self::PAGE_SIZE ),
			'done' => $first + self::PAGE_SIZE >= count( $items ),
		);
	}

	/**
	 * Erases what the service keeps of a person, and the verdicts kept with that person's comments here.
	 *
	 * @param string $email The person's e-mail address.
	 * @param int    $page  From 1; the service is asked on the first.
	 * @return array|WP_Error
	 */
	public static function erase( $email, $page = 1 ) {
		$removed  = false;
		$messages = array();
		if ( (int) $page <= 1 ) {
			$told = self::ask( 'erase', $email );
			if ( is_wp_error( $told ) ) {
				return $told;
			}
			if ( ! isset( $told['counts'], $told['receipt'] ) || ! is_array( $told['counts'] ) ) {
				return self::misunderstood();
			}
			$removed = array_sum( $told['counts'] ) > 0;
			if ( $removed ) {
				/* translators: %s: number of the receipt */
				$messages[] = sprintf( __( 'Replyguard erased what it kept; its receipt, which names nobody, is %s.', 'replyguard' ), sanitize_key( $told['receipt'] ) );
			}
			if ( ! empty( $told['retraining'] ) ) {
				$messages[] = __( 'Replyguard’s model forgets it at the retraining that was asked for.', 'replyguard' );
			}
		}
		$comments = '' === trim( $email ) ? array() : get_comments(
			array(
				'author_email' => trim( $email ),
				'meta_key'     => Replyguard_Settings::VERDICT_META, // phpcs:ignore WordPress.DB.SlowDBQuery
				'status'       => array( 'all', 'spam', 'trash' ),
				'fields'       => 'ids',
				'number'       => self::PAGE_SIZE,
				'orderby'      => 'comment_ID',
				'order'        => 'ASC',
			)
		);
		foreach ( $comments as $comment_id ) {
			$removed = delete_comment_meta( $comment_id, Replyguard_Settings::VERDICT_META ) || $removed;
		}
		return array(
			'items_removed'  => $removed,
			'items_retained' => false,
			'messages'       => $messages,
			// What was removed is found no more, so each page begins at the first that is left.
			'done'           => count( $comments ) < self::PAGE_SIZE,
		);
	}

	/**
	 * A row as WordPress lists it: what each value is, and the value. What is empty is left out.
	 *
	 * @param array $row     Values by column.
	 * @param array $meaning Words by column.
	 * @return array
	 */
	private static function described( $row, $meaning ) {
		$data = array();
		foreach ( $row as $column => $value ) {
			if ( null === $value || '' === $value || array() === $value ) {
				continue;
			}
			if ( is_bool( $value ) ) {
				$value = $value ? __( 'yes', 'replyguard' ) : __( 'no', 'replyguard' );
			} elseif ( ! is_scalar( $value ) ) {
				$value = wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
			}
			$data[] = array(
				'name'  => isset( $meaning[ $column ] ) ? $meaning[ $column ] : $column,
				// WordPress lets links through, and a spammer's must not lead anywhere from here.
				'value' => esc_html( (string) $value ),
			);
		}
		return $data;
	}

	/**
	 * Asks the service about a person, for this site only.
	 *
	 * @param string $what  export or erase.
	 * @param string $email The person's e-mail address.
	 * @return array|WP_Error
	 */
	private static function ask( $what, $email ) {
		$service = Replyguard_Settings::url();
		$problem = Replyguard_Settings::problem_with_url( $service );
		$problem = '' === $problem ? Replyguard_Settings::problem_with_key( Replyguard_Settings::key() ) : $problem;
		if ( '' !== $problem ) {
			return new WP_Error( 'replyguard_settings', 'Replyguard: ' . $problem );
		}
		$response = wp_remote_post(
			$service . '/v1/privacy/' . $what,
			array(
				'headers'     => array(
					'Authorization' => 'Bearer ' . Replyguard_Settings::key(),
					'Content-Type'  => 'application/json',
				),
				'body'        => wp_json_encode(
					array(
						'email' => trim( $email ),
						'site'  => get_option( 'home' ),
					)
				),
				'timeout'     => self::TIMEOUT_S,
				'redirection' => 0, // A redirected POST arrives as a GET, without the address.
				'sslverify'   => true,
			)
		);
		if ( is_wp_error( $response ) ) {
			/* translators: %s: cause */
			return new WP_Error( 'replyguard_unreachable', sprintf( __( 'Replyguard is not reachable: %s. Try again later.', 'replyguard' ), $response->get_error_message() ) );
		}
		$status = (int) wp_remote_retrieve_response_code( $response );
		$told   = json_decode( wp_remote_retrieve_body( $response ), true );
		if ( 404 === $status ) {
			return new WP_Error( 'replyguard_old', __( 'This Replyguard cannot export or erase yet: upgrade the service, or ask its operator to run “replyguard privacy”.', 'replyguard' ) );
		}
		if ( 200 !== $status ) {
			$detail = is_array( $told ) && isset( $told['detail'] ) && is_string( $told['detail'] ) ? $told['detail'] : '';
			/* translators: 1: HTTP status, 2: what the service says is wrong */
			return new WP_Error( 'replyguard_status', trim( sprintf( __( 'Replyguard answered with HTTP status %1$d. %2$s', 'replyguard' ), $status, $detail ) ) );
		}
		return is_array( $told ) ? $told : self::misunderstood();
	}

	/**
	 * The error for an answer that is not Replyguard's.
	 *
	 * @return WP_Error
	 */
	private static function misunderstood() {
		return new WP_Error( 'replyguard_answer', __( 'What answered is not Replyguard: look at the service URL under Settings > Replyguard.', 'replyguard' ) );
	}
}

/**
 * The column of the comments list.
 */
final class Replyguard_Column {

	/**
	 * How many reasons stand in the list; the rest opens on a click.
	 */
	const FIRST_REASONS = 4;

	/**
	 * Hooks into the comments list.
	 */
	public static function init() {
		add_filter( 'manage_edit-comments_columns', array( __CLASS__, 'add' ) );
		add_action( 'manage_comments_custom_column', array( __CLASS__, 'show' ), 10, 2 );
		add_action( 'admin_head-edit-comments.php', array( __CLASS__, 'style' ) );
	}

	/**
	 * Adds the column after the comment's text.
	 *
	 * @param array $columns The columns.
	 * @return array
	 */
	public static function add( $columns ) {
		$with = array();
		foreach ( $columns as $name => $title ) {
			$with[ $name ] = $title;
			if ( 'comment' === $name ) {
				$with['replyguard'] = __( 'Replyguard', 'replyguard' );
			}
		}
		return $with;
	}

	/**
	 * Prints verdict, score and reasons of one comment.
	 *
	 * @param string     $column     Name of the column.
	 * @param int|string $comment_id The comment.
	 */
	public static function show( $column, $comment_id ) {
		if ( 'replyguard' !== $column ) {
			return;
		}
		$verdict = get_comment_meta( (int) $comment_id, Replyguard_Settings::VERDICT_META, true );
		if ( ! is_array( $verdict ) || ! isset( $verdict['score'], $verdict['verdict'], $verdict['reasons'] ) ) {
			echo '<span aria-hidden="true">&#8212;</span><span class="screen-reader-text">' . esc_html__( 'Not scored', 'replyguard' ) . '</span>';
			return;
		}
		$names = array(
			'ham'    => __( 'Ham', 'replyguard' ),
			'unsure' => __( 'Unsure', 'replyguard' ),
			'spam'   => __( 'Spam', 'replyguard' ),
		);
		$name  = isset( $names[ $verdict['verdict'] ] ) ? $names[ $verdict['verdict'] ] : $verdict['verdict'];
		printf(
			'<strong class="replyguard-verdict replyguard-%1$s">%2$s</strong> <span title="%3$s">%4$s</span>',
			esc_attr( $verdict['verdict'] ),
			esc_html( $name ),
			esc_attr__( 'Probability of spam', 'replyguard' ),
			/* translators: %s: probability of spam, in percent */
			esc_html( sprintf( __( '%s %%', 'replyguard' ), number_format_i18n( 100 * (float) $verdict['score'], 1 ) ) )
		);
		if ( '' !== $verdict['reasons'] ) {
			$reasons = explode( '; ', $verdict['reasons'] );
			self::show_reasons( array_slice( $reasons, 0, self::FIRST_REASONS ) );
			$more = array_slice( $reasons, self::FIRST_REASONS );
			if ( $more ) {
				/* translators: %s: number of reasons */
				echo '<details class="replyguard-more"><summary>' . esc_html( sprintf( _n( '%s more', '%s more', count( $more ), 'replyguard' ), number_format_i18n( count( $more ) ) ) ) . '</summary>';
				self::show_reasons( $more );
				echo '</details>';
			}
		}
	}

	/**
	 * Prints reasons as a list.
	 *
	 * @param string[] $reasons The reasons, strongest first.
	 */
	private static function show_reasons( $reasons ) {
		echo '<ul class="replyguard-reasons">';
		foreach ( $reasons as $reason ) {
			echo '<li>' . esc_html( self::unescape( $reason ) ) . '</li>';
		}
		echo '</ul>';
	}

	/**
	 * A clue as people read it. The service writes "\u00e9" for what a header cannot carry; what cannot be
	 * seen, such as a zero-width blank, stays as it is.
	 *
	 * @param string $clue The clue.
	 * @return string
	 */
	private static function unescape( $clue ) {
		return preg_replace_callback(
			'/\\\\(?:\\\\|u([0-9a-f]{4})|U([0-9a-f]{8}))/',
			static function ( $match ) {
				if ( ! isset( $match[1] ) ) {
					return '\\';
				}
				$character = html_entity_decode( '&#x' . end( $match ) . ';', ENT_QUOTES, 'UTF-8' );
				return preg_match( '/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u', $character ) ? $character : $match[0];
			},
			$clue
		);
	}

	/**
	 * A few lines of style.
	 */
	public static function style() {
		echo '<style>.column-replyguard{width:16%}.replyguard-verdict{border-radius:3px;padding:1px 6px;white-space:nowrap}'
			. '.replyguard-spam{background:#f8d7da;color:#7a1420}.replyguard-unsure{background:#fcf0c9;color:#614200}'
			. '.replyguard-ham{background:#d7efdc;color:#0a4b1e}.replyguard-reasons,.replyguard-more summary{color:#50575e;font-size:12px;line-height:1.5;margin:4px 0 0;overflow-wrap:anywhere}.replyguard-reasons li{font-size:12px;line-height:1.5;margin:0}.replyguard-more summary{cursor:pointer;margin:0}</style>';
	}
}

/**
 * The page under Settings, and the notices.
 */
final class Replyguard_Admin {

	const PAGE = 'replyguard';

	/**
	 * Hooks into wp-admin.
	 */
	public static function init() {
		add_action( 'admin_menu', array( __CLASS__, 'add_page' ) );
		add_action( 'admin_init', array( __CLASS__, 'register' ) );
		add_action( 'admin_notices', array( __CLASS__, 'notices' ) );
		add_action( 'current_screen', array( __CLASS__, 'block_akismet_frames' ) );
	}

	/**
	 * Adds Settings > Replyguard.
	 */
	public static function add_page() {
		add_options_page( 'Replyguard', 'Replyguard', 'manage_options', self::PAGE, array( __CLASS__, 'show_page' ) );
	}

	/**
	 * Declares the two settings; options.php checks capability and nonce for them.
	 */
	public static function register() {
		register_setting( self::PAGE, Replyguard_Settings::URL_OPTION, array( 'sanitize_callback' => array( __CLASS__, 'accept_url' ) ) );
		register_setting( self::PAGE, Replyguard_Settings::KEY_OPTION, array( 'sanitize_callback' => array( __CLASS__, 'accept_key' ) ) );
	}

	/**
	 * The URL to store: the one given, or the old one if that is malformed.
	 *
	 * @param mixed $value What was given.
	 * @return string
	 */
	public static function accept_url( $value ) {
		return self::accept( $value, Replyguard_Settings::URL_OPTION, 'REPLYGUARD_URL', 'problem_with_url' );
	}

	/**
	 * The key to store: the one given, or the old one if that is malformed.
	 *
	 * @param mixed $value What was given.
	 * @return string
	 */
	public static function accept_key( $value ) {
		$value = is_string( $value ) ? strtolower( $value ) : $value;
		return self::accept( $value, Replyguard_Settings::KEY_OPTION, 'REPLYGUARD_KEY', 'problem_with_key' );
	}

	/**
	 * A setting that may be empty, or must satisfy a check.
	 *
	 * @param mixed  $value    What was given.
	 * @param string $option   Name of the option.
	 * @param string $constant Name of the constant that may decide instead.
	 * @param string $check    Method of Replyguard_Settings.
	 * @return string
	 */
	private static function accept( $value, $option, $constant, $check ) {
		$old = (string) get_option( $option, '' );
		if ( Replyguard_Settings::is_fixed( $constant ) || ! is_string( $value ) ) {
			return $old; // A locked field is not sent at all.
		}
		$value   = untrailingslashit( trim( $value ) );
		$problem = '' === $value ? '' : Replyguard_Settings::$check( $value );
		if ( '' === $problem ) {
			return $value;
		}
		$known = wp_list_pluck( get_settings_errors( $option ), 'code' );
		if ( ! in_array( $option . '_invalid', $known, true ) ) { // WordPress calls this twice for a new option.
			add_settings_error( $option, $option . '_invalid', $problem . ' ' . __( 'The old value was kept.', 'replyguard' ) );
		}
		return $old;
	}

	/**
	 * Asks the service about the key.
	 *
	 * @return array Whether all is well, and a sentence that says so or what to do.
	 */
	private static function test_connection() {
		$url     = Replyguard_Settings::url();
		$key     = self::key_in_use();
		$problem = '' === $url ? __( 'Enter the service URL first.', 'replyguard' ) : Replyguard_Settings::problem_with_url( $url );
		if ( '' === $problem && '' === $key ) {
			$problem = __( 'Enter the key first.', 'replyguard' );
		}
		if ( '' !== $problem ) {
			return array( false, $problem );
		}

		$start    = microtime( true );
		$response = wp_remote_post(
			'https://rest.akismet.com/1.1/verify-key', // By the same road as every other call.
			array(
				'timeout' => 10,
				'body'    => array(
					'key'  => $key,
					'blog' => get_option( 'home' ),
				),
			)
		);
		$took_ms  = (int) round( 1000 * ( microtime( true ) - $start ) );

		if ( is_wp_error( $response ) ) {
			/* translators: %s: technical message */
			return array( false, sprintf( __( 'The service is not reachable: %s. Check the address, that the service runs, and that this server may open connections to it.', 'replyguard' ), rtrim( $response->get_error_message(), '.' ) ) );
		}
		$status = (int) wp_remote_retrieve_response_code( $response );
		$body   = wp_remote_retrieve_body( $response );
		if ( 200 === $status && 'valid' === $body ) {
			/* translators: %d: milliseconds */
			return array( true, sprintf( __( 'The service answered in %d ms and accepts the key. Comments are checked by Replyguard.', 'replyguard' ), $took_ms ) );
		}
		if ( 200 === $status && 'invalid' === $body ) {
			$help = Replyguard_Relay::header( $response, 'x-akismet-debug-help' );
			/* translators: %s: what the service says about it, possibly nothing */
			return array( false, trim( sprintf( __( 'The service is reachable but refuses the key. Make one with “replyguard keys create” and enter it here. %s', 'replyguard' ), $help ) ) );
		}
		/* translators: %d: HTTP status */
		return array( false, sprintf( __( 'Something answers at this address (HTTP status %d), but not as Replyguard does. Check the address and the proxy in front of the service.', 'replyguard' ), $status ) );
	}

	/**
	 * The key that Akismet's requests carry.
	 *
	 * @return string
	 */
	private static function key_in_use() {
		return class_exists( 'Akismet', false ) ? (string) Akismet::get_api_key() : Replyguard_Settings::key();
	}

	/**
	 * Prints the page.
	 */
	public static function show_page() {
		if ( ! current_user_can( 'manage_options' ) ) {
			return;
		}
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- set by WordPress after it saved the form.
		$saved = isset( $_GET['settings-updated'] );
		$asked = isset( $_GET['replyguard-test'], $_GET['_wpnonce'] ) && wp_verify_nonce( sanitize_key( $_GET['_wpnonce'] ), 'replyguard-test' );

		echo '<div class="wrap"><h1>Replyguard</h1>';
		if ( $asked || ( $saved && '' !== Replyguard_Settings::url() ) ) {
			list( $is_well, $sentence ) = self::test_connection();
			printf( '<div class="notice notice-%1$s inline" id="replyguard-test"><p>%2$s</p></div>', $is_well ? 'success' : 'error', esc_html( $sentence ) );
		}
		echo '<p>' . esc_html__( 'The Akismet plugin asks the service named here instead of akismet.com.', 'replyguard' ) . '</p>';
		echo '<form method="post" action="options.php">';
		settings_fields( self::PAGE );
		echo '<table class="form-table" role="presentation">';
		self::show_field( Replyguard_Settings::URL_OPTION, 'REPLYGUARD_URL', Replyguard_Settings::url(), __( 'Service URL', 'replyguard' ), __( 'For example https://replyguard.example.org', 'replyguard' ) );
		self::show_field( Replyguard_Settings::KEY_OPTION, 'REPLYGUARD_KEY', Replyguard_Settings::key(), __( 'Key', 'replyguard' ), __( '12 characters, 0-9 and a-f. Left empty, the key from the Akismet plugin’s own page is used.', 'replyguard' ) );
		echo '</table><p class="submit">';
		submit_button( __( 'Save and test', 'replyguard' ), 'primary', 'submit', false );
		if ( '' !== Replyguard_Settings::url() ) {
			printf( ' <a class="button" href="%1$s">%2$s</a>', esc_url( self::test_url() ), esc_html__( 'Test connection', 'replyguard' ) );
		}
		echo '</p></form>';
		self::show_privacy_state();
		echo '</div>';
	}

	/**
	 * Prints one row of the form.
	 *
	 * @param string $option   Name of the option.
	 * @param string $constant Name of the constant that may decide instead.
	 * @param string $value    Present value.
	 * @param string $label    Label.
	 * @param string $help     Line under the field.
	 */
	private static function show_field( $option, $constant, $value, $label, $help ) {
		$fixed = Replyguard_Settings::is_fixed( $constant );
		if ( $fixed ) {
			/* translators: %s: name of a constant */
			$help = sprintf( __( 'Set in wp-config.php by %s.', 'replyguard' ), $constant );
		}
		printf(
			'<tr><th scope="row"><label for="%1$s">%2$s</label></th><td><input type="text" class="regular-text code" id="%1$s" name="%1$s" value="%3$s" autocomplete="off" spellcheck="false" aria-describedby="%1$s-help"%4$s><p class="description" id="%1$s-help">%5$s</p></td></tr>',
			esc_attr( $option ),
			esc_html( $label ),
			esc_attr( $value ),
			disabled( $fixed, true, false ),
			esc_html( $help )
		);
	}

	/**
	 * Says whether visitors see the line under the comment form, and where it leads.
	 */
	private static function show_privacy_state() {
		if ( '' === Replyguard_Settings::url() || ! class_exists( 'Akismet', false ) ) {
			return;
		}
		echo '<h2>' . esc_html__( 'Privacy line under the comment form', 'replyguard' ) . '</h2><p>';
		// The plugin's own hook, asked as the plugin asks it.
		$state = apply_filters( 'akismet_comment_form_privacy_notice', get_option( 'akismet_comment_form_privacy_notice', 'hide' ) ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		if ( 'display' === $state ) {
			esc_html_e( 'Visitors see it. It leads to:', 'replyguard' );
		} else {
			esc_html_e( 'Visitors do not see it, because the Akismet plugin’s settings hide the privacy notice. It would lead to:', 'replyguard' );
		}
		printf( ' <a href="%1$s">%1$s</a></p>', esc_url( Replyguard_Settings::privacy_url() ) );
		$host = (string) wp_parse_url( Replyguard_Settings::privacy_url(), PHP_URL_HOST );
		if ( in_array( $host, array( 'localhost', '127.0.0.1', '[::1]' ), true ) ) {
			echo '<p>' . esc_html__( 'Visitors cannot open that address. Name the public one in wp-config.php:', 'replyguard' ) . " <code>define( 'REPLYGUARD_PUBLIC_URL', 'https://…' );</code></p>";
		}
		if ( 'display' !== $state ) {
			printf( '<p><a href="%1$s">%2$s</a></p>', esc_url( self::akismet_url() ), esc_html__( 'Open the Akismet plugin’s settings', 'replyguard' ) );
		}
	}

	/**
	 * Prints what the owner has to know, worst first.
	 */
	public static function notices() {
		if ( ! current_user_can( 'manage_options' ) ) {
			return;
		}
		$here = self::page_url();
		$url  = Replyguard_Settings::url();
		$key  = Replyguard_Settings::key();

		if ( ! class_exists( 'Akismet', false ) ) {
			$missing = ! file_exists( WP_PLUGIN_DIR . '/akismet/akismet.php' );
			self::notice(
				'error',
				$missing
					? __( 'Replyguard needs the Akismet plugin, which is not installed. Until then comments are not checked for spam.', 'replyguard' )
					: __( 'Replyguard needs the Akismet plugin, which is not active. Until then comments are not checked for spam.', 'replyguard' ),
				$missing ? admin_url( 'plugin-install.php?s=akismet&tab=search&type=term' ) : admin_url( 'plugins.php' ),
				$missing ? __( 'Install it', 'replyguard' ) : __( 'Activate it', 'replyguard' )
			);
		}
		$is_own_page = self::is_own_page(); // The form there says what is missing.
		if ( '' === $url ) {
			if ( $is_own_page ) {
				return;
			}
			self::notice( 'warning', __( 'Replyguard has no service URL, so the Akismet plugin still asks akismet.com.', 'replyguard' ), $here, __( 'Enter the service URL', 'replyguard' ) );
			return;
		}
		$problem = Replyguard_Settings::problem_with_url( $url );
		if ( '' !== $problem ) {
			/* translators: %s: what is wrong */
			self::notice( 'error', sprintf( __( 'New comments wait in moderation, because the Replyguard setting REPLYGUARD_URL is wrong. %s', 'replyguard' ), $problem ), $here, __( 'Open the settings', 'replyguard' ) );
			return;
		}
		if ( '' !== $key && '' !== Replyguard_Settings::problem_with_key( $key ) ) {
			/* translators: %s: what is wrong */
			self::notice( 'error', sprintf( __( 'New comments wait in moderation, because the Replyguard setting REPLYGUARD_KEY is wrong. %s', 'replyguard' ), Replyguard_Settings::problem_with_key( $key ) ), $here, __( 'Open the settings', 'replyguard' ) );
			return;
		}
		if ( class_exists( 'Akismet', false ) && '' === self::key_in_use() ) {
			if ( $is_own_page ) {
				return;
			}
			self::notice( 'error', __( 'Replyguard has no key, so comments are not checked for spam.', 'replyguard' ), $here, __( 'Enter the key', 'replyguard' ) );
			return;
		}
		self::failure_notice();
		if ( self::is_akismet_page() ) {
			self::notice( 'info', __( 'Comments are checked by Replyguard. Akismet’s own charts are switched off here, because they would tell akismet.com about your site. The key is set under Settings > Replyguard.', 'replyguard' ), $here, __( 'Open the settings', 'replyguard' ) );
		}
	}

	/**
	 * Prints the notice that stands while the latest call failed.
	 */
	private static function failure_notice() {
		$failure = get_option( Replyguard_Settings::FAILURE_OPTION );
		if ( ! is_array( $failure ) || ! isset( $failure['time'], $failure['kind'], $failure['detail'] ) ) {
			return;
		}
		$detail = $failure['detail'];
		$causes = array(
			/* translators: %s: technical message */
			'unreachable' => sprintf( __( 'it was not reachable (%s). Check that the service runs and that this server may open connections to it.', 'replyguard' ), rtrim( $detail, '.' ) ),
			/* translators: %s: HTTP status */
			'status'      => sprintf( __( 'it answered with HTTP status %s. Look into the log of the service and of the proxy in front of it.', 'replyguard' ), $detail ),
			/* translators: %s: what the service says about it, possibly nothing */
			'key'         => trim( sprintf( __( 'it refused the key. Make one with “replyguard keys create” and enter it. %s', 'replyguard' ), $detail ) ),
			'answer'      => __( 'it gave no verdict. Look into the log of the service, or run “replyguard doctor” there.', 'replyguard' ),
		);
		if ( ! isset( $causes[ $failure['kind'] ] ) ) {
			return;
		}
		$when = wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), (int) $failure['time'] );
		self::notice(
			'error',
			/* translators: 1: date and time, 2: what went wrong and what to do */
			sprintf( __( 'Replyguard could not be asked on %1$s: %2$s New comments wait in moderation meanwhile, and are checked again when the service answers.', 'replyguard' ), $when, $causes[ $failure['kind'] ] ),
			self::test_url(),
			__( 'Test connection', 'replyguard' )
		);
	}

	/**
	 * Prints one notice.
	 *
	 * @param string $level error, warning or info.
	 * @param string $text  Plain text.
	 * @param string $url   Where to go.
	 * @param string $link  Words of the link.
	 */
	private static function notice( $level, $text, $url, $link ) {
		printf( '<div class="notice notice-%1$s replyguard-notice"><p>%2$s <a href="%3$s">%4$s</a></p></div>', esc_attr( $level ), esc_html( $text ), esc_url( $url ), esc_html( $link ) );
	}

	/**
	 * Keeps the Akismet plugin's statistics frames, which carry site and key, from calling tools.akismet.com.
	 */
	public static function block_akismet_frames() {
		if ( '' === Replyguard_Settings::url() || ! self::is_akismet_page() ) {
			return;
		}
		if ( ! headers_sent() ) {
			header( "Content-Security-Policy: frame-src 'self'", false );
		}
		add_action( 'admin_head', array( __CLASS__, 'hide_akismet_frames' ) );
	}

	/**
	 * Hides the blocked frames, which browsers show as broken.
	 */
	public static function hide_akismet_frames() {
		echo '<style>iframe[src*="tools.akismet.com"]{display:none!important}</style>';
	}

	/**
	 * Whether this is one of the Akismet plugin's own pages.
	 *
	 * @return bool
	 */
	private static function is_akismet_page() {
		$screen = function_exists( 'get_current_screen' ) ? get_current_screen() : null;
		return $screen && false !== strpos( $screen->id, 'akismet-' );
	}

	/**
	 * Whether this is our page.
	 *
	 * @return bool
	 */
	private static function is_own_page() {
		$screen = function_exists( 'get_current_screen' ) ? get_current_screen() : null;
		return $screen && 'settings_page_' . self::PAGE === $screen->id;
	}

	/**
	 * Address of our page.
	 *
	 * @return string
	 */
	private static function page_url() {
		return admin_url( 'options-general.php?page=' . self::PAGE );
	}

	/**
	 * Address of our page that tests the connection when opened.
	 *
	 * @return string
	 */
	private static function test_url() {
		return wp_nonce_url( self::page_url() . '&replyguard-test=1', 'replyguard-test' );
	}

	/**
	 * Address of the Akismet plugin's settings.
	 *
	 * @return string
	 */
	private static function akismet_url() {
		return class_exists( 'Akismet_Admin', false ) ? Akismet_Admin::get_page_url() : admin_url( 'options-general.php?page=akismet-key-config' );
	}
}

register_activation_hook( __FILE__, array( 'Replyguard_Settings', 'on_activation' ) );
Replyguard_Relay::init();
Replyguard_Privacy::init();
Replyguard_Rights::init();
if ( is_admin() ) {
	Replyguard_Column::init();
	Replyguard_Admin::init();
}

endif;
